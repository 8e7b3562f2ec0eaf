// SPDX-License-Identifier: BSL-1.0
#include "engine/hedging.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {
namespace {

// Sooner than this a copy costs more than the wait.
constexpr duration soonest = std::chrono::milliseconds(1);

} // namespace

recent_times* hedging::times_of(operation& op)
{
    const call_options& options = op.traits().options;
    return options.hedge_after.measured() ? &times_.of(op.function_types(), options.label) : nullptr;
}

std::optional<duration> hedging::delay_of(const operation_state& op) const
{
    const hedge_delay& delay = op.traits().options.hedge_after;
    if (!delay.measured())
        return delay.after();
    const auto measured = op.times->percentile(delay.percent());
    return measured ? std::optional(std::max(*measured, soonest)) : std::nullopt;
}

void hedging::watch_for(given_chunk& held)
{
    if (held.owner && may_hedge(*held.owner))
        looks_.set(held.hedge, look_at_running(std::nullopt, 0, delay_of(*held.owner), held.since).again);
}

bool hedging::is_of_use(const given_chunk& held) noexcept
{
    const bool wanted = held.owner && !held.owner->stopping && !held.owner->final_error;
    return wanted && !held.holder->dying && !held.cancelled && !held.twin && held.outstanding() != 0;
}

std::optional<std::size_t> hedging::late_task(given_chunk& held, const std::optional<backend::running_task>& running,
                                              time_point now)
{
    const hedge_look look = look_at_running(running, held.settled, delay_of(*held.owner), now);
    if (!look.late)
        looks_.set(held.hedge, look.again);
    return look.late;
}

void hedging::add_late(given_chunk& held, std::size_t position) noexcept
{
    held.late_at = position;
    if (!held.list_hook<late_tag>::is_linked())
        late_.push_back(held);
}

bool hedging::is_still_late(const given_chunk& held) noexcept
{
    return held.owner && !held.owner->stopping && !held.owner->final_error && !held.cancelled && !held.holder->dying &&
           held.settled <= held.late_at;
}

void hedging::begin_race(given_chunk& held, given_chunk& copy) noexcept
{
    budget_.add_copy();
    copy.all_begun = true; // as long as there are two, neither is put in line again
    copy.late_at = 0;
    copy.twin = &held;
    held.twin = &copy;
}

given_chunk* hedging::part(given_chunk& held, std::size_t position) noexcept
{
    if (!held.twin || held.late_at != position)
        return nullptr;
    given_chunk* const other = std::exchange(held.twin, nullptr);
    other->twin = nullptr;
    return other;
}

given_chunk* hedging::goes_on(given_chunk& held, std::size_t position, run_end how)
{
    const bool other_runs = held.twin && held.late_at == position;
    if (judge_race(other_runs, how) != race_result::goes_on)
        return nullptr;
    given_chunk* const other = part(held, position);
    watch_for(*other); // it may be late by now
    return other;
}

void hedging::disowned(given_chunk& held) noexcept
{
    looks_.clear(held.hedge);
    held.list_hook<late_tag>::unlink();
    part(held, held.late_at);
}

} // namespace twat::mp::detail
