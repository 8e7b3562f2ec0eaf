// SPDX-License-Identifier: BSL-1.0
// The engine's part that takes back what workers have not begun: for what is more urgent, for its equals, and for idle workers.
#include "engine/engine.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace twat::mp::detail {

// Takes back what the worker has not begun of a chunk. Returns how many tasks that were: none as long as it is `recalling`.
std::size_t engine::take_back(ready_worker& worker, given_chunk& held, bool again)
{
    if (held.outstanding() == 0 || held.all_begun || worker.dying)
        return 0;
    held.all_begun = true;
    const auto kept = backend_.recall(worker.id, held.work->id);
    held.recalling = !kept;
    return kept ? took_back(worker, held, *kept, again) : 0;
}

std::size_t engine::took_back(ready_worker& worker, given_chunk& held, std::size_t kept, bool again)
{
    const std::size_t keep = std::clamp(kept, held.settled, held.keep);
    const std::size_t taken = held.keep - keep;
    if (taken == 0)
        return 0;
    std::unique_ptr<payload> tasks = held.work->tasks->split(keep);
    held.keep = keep;
    accounts_.refund(held, taken);
    if (held.outstanding() == 0) {
        leave_place(held);
        no_longer_runs(held);
    }
    worker.running -= taken;
    staff_.workers.recount(worker);
    placement_.handout.consider(worker);
    worker.given -= std::min(worker.given, taken);
    if (!held.owner) {
        totals_.cancelled += taken;
        return taken;
    }
    operation_state& op = *held.owner;
    op.held_tasks -= taken;
    if (again)
        requeue(op, held.work->first + keep, std::move(tasks), held.work->attempt, held.work->unexplained,
                held.work->failures);
    else
        totals_.cancelled += taken;
    touch(op);
    return taken;
}

// An operation of higher priority does not wait behind chunks of lower priority that no worker has begun.
void engine::make_room(operation_state& op)
{
    if (operations_.size() == 1)
        return; // there is no other
    if (op.tenant->at_bound())
        return; // it gets no turn now
    if (staff_.workers.counts().free() != 0)
        return; // nothing has to be taken back
    if (!placement_.backlog.holds_below(op.prio))
        return make_room_beside_equals(op);
    ready_worker* const from = backlog::who_holds_below(op.prio, staff_.workers.all());
    if (!from)
        return make_room_beside_equals(op);
    for (auto h = from->held.rbegin(); h != from->held.rend(); ++h)
        if (h->owner && h->owner->prio < op.prio)
            take_back(*from, *h, true);
}

// Nor would its first turn come behind what workers were given of its equals in theirs.
void engine::make_room_beside_equals(operation_state& op)
{
    if (!placement_.backlog.holds_parts(op.prio))
        return;
    ready_worker* const from = backlog::who_steps_back(op, staff_.workers.all(), now_());
    if (!from)
        return;
    std::vector<operation_state*> stepped_back;
    for (auto h = from->held.rbegin(); h != from->held.rend(); ++h)
        if (backlog::steps_back(op, *h) && (take_back(*from, *h, true) != 0 || h->recalling))
            stepped_back.push_back(h->owner);
    for (operation_state* other : stepped_back)
        other->yielded = true;
    if (stepped_back.empty() || !op.waiting)
        return;
    accounts_.turns().remove(op, op.place());
    accounts_.turns().push_front(op, op.place());
}

// An operation that was alone may have handed out much whose duration is not known yet. Now another one wants its turns.
void engine::take_back_unknown()
{
    operation_state* const op = placement_.backlog.no_longer_alone();
    if (!op || !op->sizes.hold_back())
        return;
    std::vector<given_chunk*> large;
    for (given_chunk& h : op->held)
        if (h.outstanding() > 1)
            large.push_back(&h);
    for (auto h = large.rbegin(); h != large.rend(); ++h)
        take_back(*(*h)->holder, **h, true);
}

// Nothing waits and a worker is idle: it gets what another one holds and has not begun. A guest gets only tasks of its own operation;
// without them it would wait for chunks that stand behind tasks which wait as it does.
void engine::steal()
{
    placement_.idle_search.begin_round();
    if (staff_.workers.counts().running() == 0 || entrance_.gate.ends_all())
        return;
    placement_.handout.place_considered();
    // A guest has its own operation: what is there for it is not known.
    for (ready_worker* next = placement_.handout.first(takers::guest); next;) {
        ready_worker& guest = *next;
        next = placement_.handout.after(takers::guest, guest);
        if (guest.only && placement_.handout.can_take(guest))
            steal_for(guest);
    }
    if (!placement_.handout.first(takers::idle) || !placement_.idle_search.begin_looks(now_))
        return;
    std::size_t awaited = placement_.idle_search.awaited();
    for (ready_worker* next = placement_.handout.first(takers::idle); next;) {
        ready_worker& worker = *next;
        next = placement_.handout.after(takers::idle, worker);
        if (!placement_.handout.can_take(worker))
            continue;
        if (awaited != 0) { // what it gets is on its way
            --awaited;
            continue;
        }
        if (!steal_for(worker))
            break; // what is not there for one is not there for the next
        placement_.idle_search.note_change();
    }
    placement_.idle_search.end_looks();
}

bool engine::steal_for(ready_worker& idle)
{
    const auto [victim, from] = placement_.idle_search.look_for(idle, staff_.workers.all(), now_());
    if (!victim)
        return false;
    operation_state& op = *from->owner;
    const std::size_t taken = take_back(*victim, *from, true);
    if (from->recalling) {
        placement_.idle_search.await(*from);
        return true;
    }
    if (taken == 0)
        return steal_for(idle); // its outcomes are on their way: another one may have some
    divide(op, taken);
    give_one(idle);
    hand_out();
    return true;
}

/// Of what was taken back for an idle worker, half for each: its owner will soon be idle too.
void engine::divide(operation_state& op, std::size_t taken)
{
    if (taken < 2)
        return;
    chunk& back = *op.requeued.front();
    const std::size_t half = (taken + 1) / 2;
    auto rest = back.tasks->split(half);
    auto second = std::make_shared<chunk>();
    second->first = back.first + half;
    second->tasks = std::move(rest);
    second->attempt = back.attempt;
    second->unexplained = back.unexplained;
    second->failures = back.failures;
    op.requeued.insert(std::next(op.requeued.begin()), std::move(second));
}

// What `take_back` was to find out.
void engine::recalled(worker_id worker, chunk_id id, std::size_t kept)
{
    ready_worker* const w = find(worker);
    given_chunk* const held = w ? find(*w, id) : nullptr;
    if (!held || !std::exchange(held->recalling, false))
        return;
    const std::size_t taken = took_back(*w, *held, kept, true);
    const bool for_idle = placement_.idle_search.answered(*held, taken);
    if (operation_state* const op = held->owner) {
        if (for_idle && !op->stopping)
            divide(*op, taken);
        touch(*op);
    }
    if (held->outstanding() == 0 && held != &w->held.front())
        agenda_.clock.forget(*held); // nothing of it runs, so nothing of it is late
    leave_if_idle(*w);
}

} // namespace twat::mp::detail
