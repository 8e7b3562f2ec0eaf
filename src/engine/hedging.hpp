// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_HEDGING_HPP
#define TWAT_MP_SRC_ENGINE_HEDGING_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "backend/backend.hpp"
#include "engine/hedge_plan.hpp"
#include "engine/state.hpp"
#include "engine/watch.hpp"

namespace twat::mp::detail {

/** Decides which tasks are late and may have a second run (`call_options::hedge_after`), and what the end of one of the two runs means.

    A task is late by its call's own measure, or by what tasks of its kind took lately. It waits for a worker that has nothing else to do, and
    gets its copy if the budget allows one.
*/
class hedging
{
public:
    /// @param possible Whether the pool chooses who runs what. Workers on other hosts do not: both runs might go to the slow one.
    explicit hedging(bool possible) noexcept : possible_(possible) {}

    bool may_hedge(const operation_state& op) const noexcept
    {
        return possible_ && !op.traits().options.hedge_after.never();
    }
    /// What is remembered of tasks like the operation's; null if it has a measure of its own. Stays at one address.
    recent_times* times_of(operation& op);
    /// So many tasks that may have a copy were handed out for the first time.
    void count(std::uint64_t tasks) noexcept { budget_.add_tasks(tasks); }

    // Is a task late?
    /// The worker has come to the chunk, or it is not late any more: says when to look at it.
    void watch_for(given_chunk& held);
    /// The next one that is to be looked at; null: none.
    given_chunk* take_due(time_point now) noexcept { return looks_.take_due(now); }
    time_point next() const noexcept { return looks_.next(); }
    /// Whether a second run of a task of the chunk makes sense.
    static bool is_of_use(const given_chunk& held) noexcept;
    /// @param running What runs, if that is known. @return The position of a late task; nothing: it is looked at again later.
    std::optional<std::size_t> late_task(given_chunk& held, const std::optional<backend::running_task>& running,
                                         time_point now);

    // It waits for a worker.
    void add_late(given_chunk& held, std::size_t position) noexcept;
    bool any_late() const noexcept { return !late_.empty(); }
    /// Calls `give` with each chunk whose task may have its copy now, until that returns false, as there is no worker left.
    template <class Give>
    void serve_late(Give&& give)
    {
        for (auto next = late_.begin(); next != late_.end() && budget_.allows_copy();) {
            given_chunk& held = *next++;
            if (!is_still_late(held)) {
                held.list_hook<late_tag>::unlink();
                if (held.owner && held.outstanding() != 0)
                    watch_for(held);
            } else if (!held.owner->at_bound() && !held.owner->tenant->at_bound() && !give(held)) {
                return;
            }
        }
    }
    /// Its copy is made.
    void begin_race(given_chunk& held, given_chunk& copy) noexcept;

    // It has two runs.
    /// They have nothing to do with each other any more. Returns the other one; null if there is none of this task.
    static given_chunk* part(given_chunk& held, std::size_t position) noexcept;
    /// This run has ended. Returns the other one if the end counts for nothing, as the task is the other one's now; null: it counts.
    given_chunk* goes_on(given_chunk& held, std::size_t position, run_end how);

    /// Nobody waits for the chunk's tasks any more.
    void disowned(given_chunk& held) noexcept;

private:
    std::optional<duration> delay_of(const operation_state& op) const;
    static bool is_still_late(const given_chunk& held) noexcept;

    const bool possible_;
    watch<given_chunk> looks_;
    hooked_list<given_chunk, late_tag> late_; // those whose task gets a second run when there is a worker for it
    hedge_budget budget_;
    times_by_kind times_;
};

} // namespace twat::mp::detail

#endif
