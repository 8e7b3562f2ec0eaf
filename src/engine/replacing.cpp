// SPDX-License-Identifier: BSL-1.0
// The engine's part that replaces workers which have run, grown or lived enough, and sends away those that are too many.
#include "engine/engine.hpp"

namespace twat::mp::detail {

void engine::recycle(ready_worker& worker)
{
    if (worker.recycling || worker.retiring || worker.dying || worker.guest)
        return;
    worker.recycling = true;
    staff_.recycling.forget(worker);
    staff_.workers.recount(worker);
    staff_.roster.succeed(worker.id, now_());
}

bool engine::may_recycle_another() const noexcept { return staff_.may_recycle_another(settings_.nodes); }

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
    staff_.recycling.forget(worker);
    staff_.workers.recount(worker);
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
    staff_.workers.recount(worker);
    if (worker.drains_for)
        stop_draining(*worker.drains_for); // another worker runs empty for it
    if (worker.surplus) {
        ++totals_.retired;
        return staff_.roster.retire(worker.id, now_());
    }
    ++totals_.recycled;
    staff_.roster.leave(worker.id, now_());
}

} // namespace twat::mp::detail
