// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_LEDGER_HPP
#define TWAT_MP_SRC_ENGINE_LEDGER_HPP

#include <cstddef>

namespace twat::mp::detail {

/// What a worker adds to the counts of a `ledger`.
struct worker_entry
{
    std::size_t running = 0; ///< Tasks that it holds and that have no outcome.
    bool ready = false;      ///< A worker that takes tasks, or that runs its last ones.
    bool busy = false;       ///< One that holds tasks without an outcome.
    bool occupied = false;   ///< One that holds a chunk, perhaps only to put it away.
    bool free = false;       ///< One that could begin a task at once.
    bool recycling = false;  ///< One whose successor was asked for.
};

/** Counts workers by what they do, so that nobody has to walk all of them to know: each tells what has become of it. */
class ledger
{
public:
    /// @param counted What the worker was counted as; brought up to date.
    void update(worker_entry& counted, const worker_entry& now) noexcept
    {
        running_ += now.running - counted.running;
        ready_ += now.ready - counted.ready;
        busy_ += now.busy - counted.busy;
        occupied_ += now.occupied - counted.occupied;
        free_ += now.free - counted.free;
        recycling_ += now.recycling - counted.recycling;
        counted = now;
    }

    void clear() noexcept { *this = {}; }

    std::size_t running() const noexcept { return running_; } ///< Tasks.
    std::size_t ready() const noexcept { return ready_; }
    std::size_t busy() const noexcept { return busy_; }
    std::size_t occupied() const noexcept { return occupied_; }
    std::size_t free() const noexcept { return free_; }
    std::size_t recycling() const noexcept { return recycling_; }

private:
    std::size_t running_ = 0, ready_ = 0, busy_ = 0, occupied_ = 0, free_ = 0, recycling_ = 0;
};

} // namespace twat::mp::detail

#endif
