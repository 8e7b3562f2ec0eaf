// SPDX-License-Identifier: BSL-1.0
#include "engine/backlog.hpp"

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// A new operation may wait so long behind those of its priority that had their turns before.
constexpr duration short_wait = std::chrono::milliseconds(5);

bool could_give_back(const ready_worker& w)
{
    return !w.guest && !w.dying && !w.retiring && !w.runs_coroutines() && !w.dirty();
}

} // namespace

void backlog::add(const given_chunk& h) noexcept
{
    const auto prio = static_cast<std::size_t>(h.owner->prio);
    ++held_of_[prio];
    parts_of_[prio] += h.is_part;
}

void backlog::remove(const given_chunk& h, const operation_state& owner) noexcept
{
    const auto prio = static_cast<std::size_t>(owner.prio);
    --held_of_[prio];
    parts_of_[prio] -= h.is_part;
}

bool backlog::holds_below(priority prio) const noexcept
{
    for (std::size_t p = 0; p < static_cast<std::size_t>(prio); ++p)
        if (held_of_[p] != 0)
            return true;
    return false;
}

ready_worker* backlog::who_holds_below(priority prio, const workers& all)
{
    ready_worker* from = nullptr;
    priority lowest = prio;
    for (const auto& w : all) {
        if (!could_give_back(*w))
            continue;
        for (const given_chunk& h : w->held)
            if (h.owner && h.owner->prio < lowest) {
                lowest = h.owner->prio;
                from = w.get();
            }
    }
    return from;
}

bool backlog::steps_back(const operation_state& op, const given_chunk& h)
{
    const bool has_more = h.outstanding() > 1 || (h.owner && h.owner->held_chunks > 1 && &h != &h.holder->held.front());
    return has_more && !h.all_begun && h.owner && h.owner != &op && !h.owner->yielded && h.owner->prio == op.prio;
}

ready_worker* backlog::who_steps_back(const operation_state& op, const workers& all, time_point now)
{
    const auto has_some = [&op](const ready_worker& w) {
        return std::any_of(w.held.begin(), w.held.end(), [&op](const given_chunk& h) { return steps_back(op, h); });
    };
    // Mostly there is none, and how long the wait is need not be known.
    if (std::none_of(all.begin(), all.end(), [&](const auto& w) { return could_give_back(*w) && has_some(*w); }))
        return nullptr;
    ready_worker* from = nullptr;
    duration least = duration::max();
    for (const auto& w : all) {
        if (!could_give_back(*w))
            continue;
        duration before = duration::zero();
        for (const given_chunk& h : w->held)
            before = saturating_add(before, &h == &w->held.front() ? time_left_of_first(h, now)
                                                                   : time_left(h).value_or(unknown_time));
        if (before >= least)
            continue;
        least = before;
        from = has_some(*w) ? w.get() : nullptr;
    }
    return least < short_wait ? nullptr : from;
}

} // namespace twat::mp::detail
