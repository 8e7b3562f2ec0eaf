// SPDX-License-Identifier: BSL-1.0
// The engine's part that replaces workers which have run, grown or lived enough.
#include "engine/engine.hpp"

#include <algorithm>
#include <cmath>

#include "time/saturating.hpp"

namespace twat::mp::detail {

// A worker's successor is asked for somewhat before the bound, each at a moment of its own; until the successor is ready the worker goes on,
// if need be up to the bound.
void engine::plan_recycling(ready_worker& worker)
{
    const auto part = [this] { return 1 - settings_.recycle_jitter * std::uniform_real_distribution<>()(random_); };
    if (settings_.max_tasks_per_child != 0)
        worker.share = std::max<std::size_t>(
            1, static_cast<std::size_t>(std::ceil(static_cast<double>(settings_.max_tasks_per_child) * part())));
    if (settings_.max_age_per_child != duration::zero()) {
        const duration age = saturating_scale(settings_.max_age_per_child, part());
        if (const time_point due = saturating_add(now_(), age); due != time_point::max())
            ages_.set(worker.age, due);
    }
}

void engine::recycle(ready_worker& worker)
{
    if (worker.recycling || worker.retiring || worker.dying || worker.guest)
        return;
    worker.recycling = true;
    ages_.clear(worker.age);
    workers_.recount(worker);
    roster_.succeed(worker.id, now_());
}

// All may be as old, or as large, as each other. Twice as many workers, for a moment, could be too much for the machine.
bool engine::may_recycle_another() const noexcept
{
    return workers_.counts().recycling() < std::max<std::size_t>(1, settings_.nodes / 8);
}

void engine::recycle_if_there_is_room(ready_worker& worker)
{
    if (may_recycle_another())
        recycle(worker);
}

// Told again and again, as long as it is so.
void engine::worker_grew(worker_id id)
{
    if (ready_worker* worker = find(id))
        recycle_if_there_is_room(*worker);
}

void engine::successor_is_ready(worker_id id)
{
    if (ready_worker* const worker = find(id))
        send_away(*worker, false);
}

// The worker gets no more, and leaves when its task has ended. What it has not begun goes elsewhere.
void engine::send_away(ready_worker& worker, bool surplus)
{
    worker.surplus = worker.surplus || surplus;
    if (worker.retiring || worker.guest)
        return;
    worker.retiring = true;
    worker.recycling = worker.recycling || !surplus;
    ages_.clear(worker.age);
    workers_.recount(worker);
    for (auto held = worker.held.rbegin(); held != worker.held.rend(); ++held)
        take_back(worker, *held, true);
    leave_if_idle(worker);
}

void engine::leave_if_idle(ready_worker& worker)
{
    if (!worker.retiring || worker.dying || worker.guest ||
        (worker.surplus ? worker.running != 0 : !worker.held.empty()))
        return;
    worker.dying = true;
    workers_.recount(worker);
    if (worker.drains_for)
        stop_draining(*worker.drains_for); // another worker runs empty for it
    if (worker.surplus) {
        ++totals_.retired;
        return roster_.retire(worker.id, now_());
    }
    ++totals_.recycled;
    roster_.leave(worker.id, now_());
}

} // namespace twat::mp::detail
