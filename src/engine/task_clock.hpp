// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_TASK_CLOCK_HPP
#define TWAT_MP_SRC_ENGINE_TASK_CLOCK_HPP

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "backend/backend.hpp"
#include "engine/state.hpp"
#include "engine/watch.hpp"

namespace twat::mp::detail {

/** Decides when running tasks are looked at: whether one has run out of its time, and whether one that was asked to stop has stopped within the
    grace, or its worker is killed.

    A task that nobody waits for has its time too, as its worker is wanted. These count apart: they keep the pool at work, the others are part
    of an operation that does.
*/
class task_clock
{
public:
    /// @param grace For those that were asked to stop.
    explicit task_clock(duration grace) noexcept : grace_(grace) {}

    // The time of a task.
    /// When to look at the running task of a chunk; `time_point::max()`: not at all.
    void check_at(given_chunk& held, time_point when) noexcept;
    /// Nobody waits for the chunk any more, and its time goes on.
    void disowned(given_chunk& held) noexcept;
    /** Somebody looks at the chunk's running task.

        @param running What runs, if that is known.
        @return The position of a task that has run out of time. Nothing: none has, and `check_at` was called.
    */
    std::optional<std::size_t> late_task(given_chunk& held, const std::optional<backend::running_task>& running,
                                         time_point now) noexcept;
    /// No task can be late sooner than one that begins now.
    void check_from(given_chunk& held, time_point now) noexcept;

    // The end of one that was asked to stop.
    /// Its grace begins, unless it has begun before. Its time is not looked at any more.
    void kill_after_grace(given_chunk& held, time_point now) noexcept;
    /// It returned within the grace.
    void spare(given_chunk& held) noexcept { kills_.clear(held.kill); }
    /// Its grace, which was over at `due`, is longer: a loop that comes late to it has not read what the worker sent meanwhile.
    bool looks_again(given_chunk& held, time_point due, time_point now) noexcept;
    /// It is too early to say whether it goes on.
    void prolong(given_chunk& held, time_point now) noexcept;

    /// There is nothing of the chunk to look at.
    void forget(given_chunk& held) noexcept;

    struct overdue
    {
        given_chunk* chunk = nullptr; ///< Null: none.
        time_point due{};
    };
    /// The next one whose grace is over.
    overdue take_overdue(time_point now) noexcept;
    /// The next one whose task is to be looked at; null: none.
    given_chunk* take_check(time_point now) noexcept;

    /// Whether somebody has to look even where no operation is outstanding.
    bool keeps_awake() const noexcept { return !kills_.empty() || !unwanted_.empty(); }
    time_point next() const noexcept { return std::min(next_of_an_operation(), unwanted_.next()); }
    time_point next_of_an_operation() const noexcept { return std::min(kills_.next(), checks_.next()); }

private:
    const duration grace_;
    watch<given_chunk> checks_, unwanted_; // of running tasks' time; those that nobody waits for apart
    watch<given_chunk> kills_;
};

} // namespace twat::mp::detail

#endif
