// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_HEDGE_PLAN_HPP
#define TWAT_MP_SRC_ENGINE_HEDGE_PLAN_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <twat/mp/hedge.hpp>
#include <twat/mp/histogram.hpp>

#include "backend/backend.hpp"
#include "backend/chunk.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

/** How many second copies there may be: one for twenty tasks, and one at least.

    When a whole machine is slow every task is late, and copies of all would only make it slower (as Google's "The Tail at Scale" found, a
    few percent of copies take nearly all of the tail away). What a long quiet time has saved is bounded for the same reason.
*/
class hedge_budget
{
public:
    static constexpr std::uint64_t tasks_for_a_copy = 20;
    static constexpr std::uint64_t most_saved = 50; ///< Copies.

    /// So many tasks were handed out for the first time, and may have a copy. (Those that are handed out again, having come back from a worker
    /// that died or was asked for them, were counted.)
    void add_tasks(std::uint64_t tasks) noexcept
    {
        tasks_ = std::min(tasks_ + tasks, (copies_ + most_saved) * tasks_for_a_copy);
    }
    bool allows_copy() const noexcept { return copies_ == 0 || (copies_ + 1) * tasks_for_a_copy <= tasks_; }
    void add_copy() noexcept { ++copies_; }

private:
    std::uint64_t tasks_ = 0, copies_ = 0;
};

/// How long tasks of one kind took lately.
class recent_times
{
public:
    static constexpr std::uint64_t enough = 20;        ///< Before so many were measured nothing is known.
    static constexpr std::uint64_t generation = 1'000; ///< Between this and twice as many are remembered.

    void record(duration each, std::uint64_t tasks)
    {
        now_.record(each, tasks);
        if (now_.count() < generation)
            return;
        before_ = now_;
        now_ = {};
    }

    std::optional<duration> percentile(double percent) const
    {
        histogram all = before_;
        all += now_;
        if (all.count() < enough)
            return std::nullopt;
        return all.quantile(percent / 100);
    }

private:
    histogram now_, before_;
};

/// The same by the types of the function and the label of the call: what tasks of one kind are.
class times_by_kind
{
public:
    /// Beyond so many, kinds count as one: a program may make labels of what its clients send.
    static constexpr std::size_t most_kinds = 256;

    /// Stays at one address.
    recent_times& of(std::string_view types, const char* label)
    {
        std::string kind(types);
        if (label)
            kind.append(1, '\n').append(label);
        if (const auto found = times_.find(kind); found != times_.end())
            return found->second;
        return times_[times_.size() < most_kinds ? kind : std::string()];
    }

private:
    std::map<std::string, recent_times, std::less<>> times_;
};

/// What to do about the running task of a chunk.
struct hedge_look
{
    std::optional<std::size_t> late;      ///< The task at this position may have a copy.
    time_point again = time_point::max(); ///< Otherwise, when to look again.
};

/** @param running What runs, if that is known.
    @param settled Tasks whose outcome is known, from the first one on.
    @param delay Nothing: too few tasks were measured.
*/
inline hedge_look look_at_running(const std::optional<backend::running_task>& running, std::size_t settled,
                                  std::optional<duration> delay, time_point now) noexcept
{
    constexpr duration until_more_is_known = std::chrono::milliseconds(20);
    if (!delay)
        return {.late = {}, .again = now + until_more_is_known};
    if (!running || running->position < settled) // whatever begins later is not late before this
        return {.late = {}, .again = saturating_add(now, *delay)};
    if (const time_point due = saturating_add(running->begun, *delay); due > now)
        return {.late = {}, .again = due};
    return {.late = running->position};
}

/// What has become of one of the two runs of a task.
enum class run_end {
    answered, ///< With a value, with an exception that is not retried, or it was out of time.
    threw,    ///< An exception that `call_options::retry` would retry.
    died,     ///< Its worker did.
};

/// What that means for the task.
enum class race_result {
    decided, ///< It is the task's outcome, and the other run is not wanted any more.
    goes_on, ///< It counts for nothing: the other run has the task for itself now.
    alone,   ///< There is no other run: what always holds.
};

constexpr race_result judge_race(bool other_runs, run_end end) noexcept
{
    if (!other_runs)
        return race_result::alone;
    return end == run_end::answered ? race_result::decided : race_result::goes_on;
}

} // namespace twat::mp::detail

#endif
