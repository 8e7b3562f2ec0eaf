// SPDX-License-Identifier: BSL-1.0
#include "engine/handout.hpp"

#include <algorithm>
#include <cstddef>

namespace twat::mp::detail {
namespace {

// A worker holds `chunks_ahead` so that it never waits for a round trip, and more while all of them together are shorter than this part
// of a chunk.
constexpr int in_flight_part = 4;

} // namespace

std::size_t handout::allowance(const ready_worker& worker) const noexcept
{
    if (bounds_.max_tasks_per_child == 0 || worker.guest)
        return no_position;
    return bounds_.max_tasks_per_child - std::min(bounds_.max_tasks_per_child, worker.given);
}

bool handout::can_take(const ready_worker& worker) const
{
    if (worker.dying || worker.retiring || allowance(worker) == 0)
        return false;
    if (worker.held.empty())
        return true;
    if (worker.guest || worker.drains_for || worker.dirty())
        return false;
    if (worker.runs_coroutines())
        return worker.held.size() < bounds_.child_concurrency;
    if (worker.held.size() >= can_.chunks_per_worker)
        return false;
    // One that was taken back whole is nothing to wait for.
    const auto chunks_ahead = static_cast<std::ptrdiff_t>(can_.chunks_ahead);
    if (std::count_if(worker.held.begin(), worker.held.end(),
                      [](const given_chunk& h) { return h.outstanding() != 0; }) < chunks_ahead)
        return true;
    duration sum{};
    for (const given_chunk& h : worker.held) {
        const auto left = time_left(h);
        if (!left)
            return false;
        sum += *left;
    }
    return sum < can_.chunk_aim / in_flight_part;
}

void handout::place(ready_worker& worker)
{
    worker.list_hook<considered_tag>::unlink();
    if (!can_take(worker))
        return takers_.remove(worker);
    const takers::kind kind = worker.guest               ? takers::guest
                              : worker.held.empty()      ? takers::idle
                              : worker.runs_coroutines() ? takers::coroutines
                                                         : takers::plain;
    takers_.put(worker, kind, worker.held.size());
}

void handout::remove(ready_worker& worker) noexcept
{
    takers_.remove(worker);
    worker.list_hook<considered_tag>::unlink();
}

void handout::clear() noexcept
{
    takers_.clear();
    considered_.clear();
}

ready_worker* handout::for_copy(const given_chunk& of)
{
    for (ready_worker* next = first(takers::idle); next; next = after(takers::idle, *next))
        if (can_take(*next) && !next->drains_for)
            return next;
    if (!of.work->coroutine)
        return nullptr;
    for (ready_worker* next = first(takers::coroutines); next; next = after(takers::coroutines, *next))
        if (next != of.holder && can_take(*next))
            return next;
    return nullptr;
}

ready_worker* handout::round::next() noexcept
{
    now_ = nullptr;
    for (const takers::kind k : {takers::idle, takers::plain, takers::coroutines})
        if (taker* const t = none_left_[k] ? nullptr : handout_.takers_.first(k); t && (!now_ || *t < *now_)) {
            now_ = t;
            kind_ = k;
        }
    return worker_of(now_);
}

void handout::round::served(bool given)
{
    handout_.place(*worker_of(now_)); // where it belongs now, if anywhere
    none_left_[kind_] = !given && handout_.takers_.first(kind_) == now_;
}

} // namespace twat::mp::detail
