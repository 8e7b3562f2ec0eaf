// SPDX-License-Identifier: BSL-1.0
// The engine's part that hands out work: whose turn it is, and which worker gets it.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {
namespace {

// A worker holds `chunks_ahead` so that it never waits for a round trip, and more while all of them together are shorter than this part
// of a chunk.
constexpr int in_flight_part = 4;

} // namespace

void engine::decide()
{
    // Completing an operation can make room, and handing out can complete one (its range ends or throws).
    admission_.begin_turn();
    next_turn_ = time_point::max();
    if (ending_)
        end_some();
    do {
        carry_out();
        flush();
        hand_out();
        steal();
        hedge();
        grow_if_tasks_wait();
    } while (!touched_.empty() || let_in_those_that_wait() || roster_.has_actions());
    if (admission_.has_shed_enough() || (ending_ && !outstanding_.empty()))
        next_turn_ = now_(); // the loop's other handlers first
}

// ---------------------------------------------------------------- whose turn

std::size_t engine::demand(const operation_state& op) { return op.unbounded ? no_position : op.op->demand(); }

bool engine::has_work(const operation_state& op) const
{
    return !op.stopping && !op.outside() && !op.unless_begun && !op.at_bound() &&
           (!op.requeued.empty() || (!op.exhausted && demand(op) != 0));
}

void engine::line_up(operation_state& op)
{
    if (!op.waiting && has_work(op)) {
        op.waiting = true;
        resting_ -= std::exchange(op.resting, false);
        queue_.push_back(op, op.place());
    }
}

void engine::line_up_first(operation_state& op)
{
    if (!op.waiting && has_work(op)) {
        op.waiting = true;
        resting_ -= std::exchange(op.resting, false);
        queue_.push_front(op, op.place());
    }
}

void engine::leave_queue(operation_state& op) noexcept
{
    if (std::exchange(op.waiting, false))
        queue_.remove(op, op.place());
}

std::size_t engine::allowance(const ready_worker& worker) const noexcept
{
    if (settings_.max_tasks_per_child == 0 || worker.guest)
        return no_position;
    return settings_.max_tasks_per_child - std::min(settings_.max_tasks_per_child, worker.given);
}

bool engine::can_take(const ready_worker& worker) const
{
    if (worker.dying || worker.retiring || allowance(worker) == 0)
        return false;
    if (worker.held.empty())
        return true;
    if (worker.guest || worker.drains_for || worker.dirty())
        return false;
    if (worker.runs_coroutines())
        return worker.held.size() < settings_.child_concurrency;
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

/// Something has happened to the worker that may let it take a chunk.
void engine::consider(ready_worker& worker) noexcept
{
    if (!worker.list_hook<considered_tag>::is_linked())
        considered_.push_back(worker);
}

void engine::place(ready_worker& worker)
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

void engine::place_considered()
{
    while (!considered_.empty())
        place(considered_.front());
}

void engine::hand_out()
{
    if (ending_)
        return;
    if (guests_ != 0)
        hand_out_to_guests();
    if (queue_.empty())
        return;
    place_considered();
    // The worker with the fewest chunks first: nobody gets a second one while another is idle. What there is nothing of for one, there is
    // for no other that holds the same kind of task.
    std::array<bool, takers::kinds> none_left{};
    none_left[takers::guest] = true;
    while (!queue_.empty() && !admission_.has_shed_enough()) {
        taker* first = nullptr;
        takers::kind kind = takers::idle;
        for (const takers::kind k : {takers::idle, takers::plain, takers::coroutines})
            if (taker* const t = none_left[k] ? nullptr : takers_.first(k); t && (!first || *t < *first)) {
                first = t;
                kind = k;
            }
        if (!first)
            return;
        ready_worker& next = static_cast<ready_worker&>(*first);
        const bool given = can_take(next) && give_one(next);
        place(next); // where it belongs now, if anywhere
        none_left[kind] = !given && takers_.first(kind) == first;
    }
}

// They may run tasks of a tenant that gets no turn: what their threads wait for.
void engine::hand_out_to_guests()
{
    place_considered();
    for (taker* next = takers_.first(takers::guest); next;) {
        ready_worker& guest = static_cast<ready_worker&>(*next);
        next = takers_.after(takers::guest, guest);
        if (can_take(guest))
            give_one(guest);
        place(guest);
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
        if (worker.drains_for || admission_.has_shed_enough())
            return false;
    }
    return false;
}

bool engine::give_one(ready_worker& worker, priority prio)
{
    std::vector<operation_state*> aside; // had a look at; none, as a rule, and then no allocation
    bool given = false;
    while (operation_state* const next = queue_.front(prio)) {
        operation_state& op = *next;
        if (sheds(op)) {
            if (admission_.has_shed_enough())
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
        consider(*worker);
    }
}

// ---------------------------------------------------------------- guests

void engine::add_guest(worker_id id, operation& op)
{
    ready_worker& added = add_worker(id);
    added.guest = true;
    added.only = find(op);
    recount(added);
    ++guests_;
}

bool engine::remove_guest(worker_id id)
{
    ready_worker* const guest = find(id);
    if (!guest)
        return true;
    guest->only = nullptr;
    guest->retiring = true;
    recount(*guest);
    if (!guest->held.empty())
        return false;
    take_worker(*guest);
    return true;
}

} // namespace twat::mp::detail
