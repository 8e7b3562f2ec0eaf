// SPDX-License-Identifier: BSL-1.0
#include "engine/idle_search.hpp"

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// Tasks in a worker that will be through in less than this part of a chunk are not worth taking back for an idle one.
constexpr int worth_stealing_part = 40;
constexpr duration look_again_after = std::chrono::milliseconds(1);

} // namespace

bool idle_search::answered(given_chunk& from, std::size_t taken) noexcept
{
    const bool for_idle = from.awaited.clear();
    changed_ = changed_ || (for_idle && taken == 0); // another one may have some
    return for_idle;
}

idle_search::found idle_search::look_for(const ready_worker& idle,
                                         const std::vector<std::unique_ptr<ready_worker>>& workers, time_point now)
{
    found best;
    duration most = duration::zero();
    time_point look = time_point::max();
    for (const auto& w : workers) {
        // a coroutine task can block its worker and wait for a guest
        if (w->dying || (w->runs_coroutines() && !idle.guest))
            continue;
        duration before = duration::zero(); // until the worker comes to the chunk
        for (given_chunk& h : w->held) {
            const bool first = &h == &w->held.front();
            const duration left = first ? time_left_of_first(h, now) : time_left(h).value_or(unknown_time);
            const bool runs = first && !h.work->coroutine && now - h.since < surely_begun;
            const bool wanted = h.owner && (!idle.guest || h.owner == idle.only);
            // for a lone call a timer is too dear
            if (wanted && runs && h.outstanding() == 1 && !h.all_begun && h.owner->next_index > 1)
                look = std::min(look, h.since + surely_begun);
            // what is taken would have to wait for the task that runs
            const bool of_use =
                wanted && (!runs || !(h.owner->at_bound() || (h.owner->tenant->at_bound() && !idle.guest)));
            if (of_use && !h.owner->stopping && !h.cancelled && !h.all_begun && h.outstanding() > (runs ? 1u : 0u)) {
                const duration wait = before + left;
                if (wait > most) {
                    most = wait;
                    best = {w.get(), &h};
                }
            }
            before = saturating_add(before, left);
        }
    }
    if (!best.victim) {
        next_ = std::min(next_, look);
        return {};
    }
    if (most < chunk_aim_ / worth_stealing_part) {
        next_ = now + look_again_after; // unless it takes longer than expected
        return {};
    }
    return best;
}

} // namespace twat::mp::detail
