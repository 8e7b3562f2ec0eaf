// SPDX-License-Identifier: BSL-1.0
// The engine's part that hands out work: whose turn it is, and which worker gets it.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {
void engine::decide()
{
    // Completing an operation can make room, and handing out can complete one (its range ends or throws).
    entrance_.admission.begin_turn();
    agenda_.next_turn = time_point::max();
    if (entrance_.gate.ends_all())
        end_some();
    do {
        carry_out();
        flush();
        hand_out();
        steal();
        hedge();
        staff_.elasticity.grow_if_tasks_wait(staff_.workers.counts().free(), !entrance_.gate.broken(), now_);
    } while (operations_.any_touched() || let_in_those_that_wait() || staff_.roster.has_actions());
    if (entrance_.admission.has_shed_enough() || (entrance_.gate.ends_all() && !operations_.all_end_by_force()))
        agenda_.next_turn = now_(); // the loop's other handlers first
}

// ---------------------------------------------------------------- whose turn

bool engine::has_work(const operation_state& op) const
{
    return !op.stopping && !op.outside() && !op.unless_begun && !op.at_bound() &&
           (!op.requeued.empty() || (!op.exhausted && op.demand() != 0));
}

void engine::line_up(operation_state& op)
{
    if (!op.waiting && has_work(op)) {
        op.waiting = true;
        operations_.wake(op);
        accounts_.turns().push_back(op, op.place());
    }
}

void engine::line_up_first(operation_state& op)
{
    if (!op.waiting && has_work(op)) {
        op.waiting = true;
        operations_.wake(op);
        accounts_.turns().push_front(op, op.place());
    }
}

void engine::leave_queue(operation_state& op) noexcept
{
    if (std::exchange(op.waiting, false))
        accounts_.turns().remove(op, op.place());
}

void engine::hand_out()
{
    if (entrance_.gate.ends_all())
        return;
    if (staff_.workers.any_guest())
        hand_out_to_guests();
    if (accounts_.turns().empty())
        return;
    placement_.handout.place_considered();
    handout::round turns(placement_.handout);
    while (!accounts_.turns().empty() && !entrance_.admission.has_shed_enough()) {
        ready_worker* const next = turns.next();
        if (!next)
            return;
        turns.served(placement_.handout.can_take(*next) && give_one(*next));
    }
}

// They may run tasks of a tenant that gets no turn: what their threads wait for.
void engine::hand_out_to_guests()
{
    placement_.handout.place_considered();
    for (ready_worker* next = placement_.handout.first(takers::guest); next;) {
        ready_worker& guest = *next;
        next = placement_.handout.after(takers::guest, guest);
        if (placement_.handout.can_take(guest))
            give_one(guest);
        placement_.handout.place(guest);
    }
}

bool engine::give_one(ready_worker& worker)
{
    if (worker.guest)
        return worker.only && give_from(*worker.only, worker);
    if (worker.held.empty() && worker.drains_for) {
        operation_state& op = *worker.drains_for;
        stop_draining(op);
        if (has_work(op) && !op.tenant->at_bound() && give_from(op, worker))
            return true;
    }
    for (const priority prio : {priority::high, priority::normal, priority::low}) {
        if (give_one(worker, prio))
            return true;
        if (worker.drains_for || entrance_.admission.has_shed_enough())
            return false;
    }
    return false;
}

bool engine::give_one(ready_worker& worker, priority prio)
{
    std::vector<operation_state*> aside; // had a look at; none, as a rule, and then no allocation
    bool given = false;
    while (operation_state* const next = accounts_.turns().front(prio)) {
        operation_state& op = *next;
        if (sheds(op)) {
            if (entrance_.admission.has_shed_enough())
                break;
            continue;
        }
        leave_queue(op);
        if (has_work(op) && !worker.held.empty() && worker.runs_coroutines() != op.traits().coroutine) {
            aside.push_back(&op); // its kind of task cannot run beside what the worker holds
            if (op.drains)
                continue;
            op.drains = &worker;
            worker.drains_for = &op;
            break;
        }
        given = has_work(op) && give_from(op, worker);
        if (given) {
            line_up(op); // behind the others of its tenant
            if (!op.waiting && op.traits().stream)
                touch(op); // perhaps it rests now
            break;
        }
        aside.push_back(&op);
    }
    for (operation_state* const op : aside) {
        line_up(*op);
        if (!op->waiting && op->traits().stream)
            touch(*op);
    }
    return given;
}

void engine::stop_draining(operation_state& op) noexcept
{
    if (ready_worker* const worker = std::exchange(op.drains, nullptr)) {
        worker->drains_for = nullptr;
        placement_.handout.consider(*worker);
    }
}

// ---------------------------------------------------------------- guests

void engine::add_guest(worker_id id, operation& op) { staff_.workers.make_guest(add_worker(id), find(op)); }

bool engine::remove_guest(worker_id id)
{
    ready_worker* const guest = find(id);
    if (!guest)
        return true;
    guest->only = nullptr;
    guest->retiring = true;
    staff_.workers.recount(*guest);
    if (!guest->held.empty())
        return false;
    take_worker(*guest);
    return true;
}

} // namespace twat::mp::detail
