// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_SILENCE_WATCH_HPP
#define TWAT_MP_SRC_PROCESS_SILENCE_WATCH_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "backend/chunk.hpp"
#include "process/stop_judge.hpp"

namespace twat::mp::detail {

/** Decides when to look after a worker that says nothing: at its ring, for outcomes that it has not rung for, and at its process, which a signal
    may have stopped. Looks at no clock.

    A worker that has several tasks tells of them within a millisecond, unless one of them takes longer; then its ring is looked at. Each look that
    finds nothing makes the next one later: with tasks of 10 ms, looks were half of what a task cost the host.
*/
class silence_watch
{
public:
    static constexpr duration look_after = std::chrono::milliseconds(2);
    static constexpr duration longest_look_after = std::chrono::milliseconds(16);
    /// Workers are looked at together.
    static constexpr duration look_grid = std::chrono::milliseconds(1);

    /// The worker has sent something.
    void heard(time_point now) noexcept { look_from_ = silent_since_ = now; }

    /// It was given a chunk. @param was_idle Nobody waited for one that it holds. @param timed Whether its tasks have a timeout.
    void given(time_point now, bool was_idle, bool timed) noexcept
    {
        look_from_ = now;
        if (was_idle)
            silent_since_ = now;
        timed_ = timed;
        if (timed)
            look_pause_ = look_after; // a task's time counts from the end of the one before
    }

    /// When to look at its ring. One task alone is told of when it is done. But the end of a chunk may lie untold in the ring while the one behind
    /// it runs, and a task's time is counted only from the end of the chunk before.
    /// @param wanted, outstanding Its chunks and tasks that somebody waits for.
    time_point look_due(std::size_t wanted, std::size_t outstanding) const noexcept
    {
        if (look_from_ == time_point::max() || (wanted <= 1 && outstanding <= 1))
            return time_point::max();
        return time_point((look_from_.time_since_epoch() + look_pause_) / look_grid * look_grid + look_grid);
    }

    /// Its ring is being looked at: not again, before the next sign of it.
    void look() noexcept { look_from_ = time_point::max(); }
    /// What came of it.
    void looked(bool found) noexcept
    {
        look_pause_ = found || timed_ ? look_after : std::min(2 * look_pause_, longest_look_after);
    }

    /// When to look whether it is stopped.
    time_point stop_due(std::size_t wanted) const noexcept
    {
        return wanted != 0 ? stop_judge_.due(silent_since_) : time_point::max();
    }

    /// See `stop_judge::judge`.
    stop_judge::verdict judge_stop(time_point now, int signal, bool with_program) noexcept
    {
        return stop_judge_.judge(now, signal, with_program);
    }

private:
    time_point look_from_{};    ///< The last sign of it, or chunk for it; `time_point::max()`: looked since then.
    time_point silent_since_{}; ///< When it was last heard of, or came to have something to do.
    duration look_pause_ = look_after;
    bool timed_ = false; ///< The last chunk that it was given.
    stop_judge stop_judge_;
};

} // namespace twat::mp::detail

#endif
