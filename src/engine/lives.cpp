// SPDX-License-Identifier: BSL-1.0
// The engine's part for workers that come and go, as the roster decides.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {

// ---------------------------------------------------------------- what the roster decides

void engine::carry_out()
{
    while (staff_.roster.has_actions())
        for (const roster::action& todo : staff_.roster.take_actions())
            switch (todo.what) {
            case roster::action::launch:
                if (settings_.chaos)
                    count_start(todo.worker);
                backend_.launch(todo.worker, todo.node);
                break;
            case roster::action::end: backend_.end(todo.worker, todo.how); break;
            case roster::action::broken: {
                const roster::breakage why = staff_.roster.why_broken();
                backend_.catch_up(); // what the workers have finished is finished
                break_down(why.cause);
                if (settings_.on_broken)
                    settings_.on_broken(why.cause, why.for_good);
                if (can_.can_kill)
                    forget_workers(); // they are killed
                break;
            }
            }
}

bool engine::try_again()
{
    if (!staff_.roster.try_again(now_()))
        return false;
    entrance_.gate.mend(); // it takes this call
    return true;
}

// No worker is ready, or will be soon: every operation completes with what `cause` makes (a fresh exception each).
void engine::break_down(const error_maker& cause)
{
    entrance_.gate.break_down(cause);
    fail_operations(cause, time_point::max());
    for (auto& w : staff_.workers)
        if (!w->guest) {
            w->dying = true;
            staff_.workers.recount(*w);
        }
}

// Workers that come by themselves do not come, or the way to them is gone.
void engine::unusable(const error_maker& cause, time_point before) { fail_operations(cause, before); }

// Operations that were initiated before then complete with what `cause` makes.
void engine::fail_operations(const error_maker& cause, time_point before)
{
    flush(); // what is over has its own answer: the last death, for the task that ran
    const auto keeps_outcomes = [](const operation_state& op) {
        return !op.traits().stops_at_failure && !op.traits().stream && !op.final_error;
    };
    for (operation_state& op : operations_)
        if (op.initiated < before && !keeps_outcomes(op))
            stop_handing_out(op);
    for (auto next = operations_.begin(); next != operations_.end();) {
        operation_state& op = *next++;
        if (op.initiated >= before)
            break; // they stand in the order of their initiation
        if (keeps_outcomes(op))
            fail_rest(op, cause);
        else
            stop(op, op.first_error ? op.first_error : cause(), stop_force::kill); // a task's own failure tells more
    }
}

void engine::resize(std::size_t nodes)
{
    settings_.nodes = nodes;
    for (const worker_id id : staff_.roster.resize(nodes, now_()))
        if (ready_worker* const worker = find(id))
            send_away(*worker, true);
    staff_.elasticity.restart(can_.launches && staff_.roster.kept() < nodes);
    for (operation_state& op : operations_)
        if (!op.outside())
            staff_.elasticity.note_work(op);
    for (const auto& w : staff_.workers)
        if (w->held.empty())
            staff_.elasticity.note_idle(*w, now_);
}

// Where workers come and go by themselves there are as many nodes as there are workers.
void engine::count_nodes() noexcept
{
    if (!can_.launches)
        settings_.nodes = std::max<std::size_t>(1, ready_workers());
}

// ---------------------------------------------------------------- what the workers do

void engine::worker_ready(worker_id worker)
{
    if (find(worker))
        return;
    const roster::arrival arrived = staff_.roster.ready(worker, now_());
    if (!arrived.takes_work)
        return;
    if (arrived.mends) {
        entrance_.gate.mend();
        if (settings_.on_mended)
            settings_.on_mended();
    }
    staff_.recycling.plan(add_worker(worker), now_());
    count_nodes();
    trace_worker(trace_event::worker_ready, worker);
    for (const worker_id old : arrived.predecessors)
        successor_is_ready(old);
}

ready_worker& engine::add_worker(worker_id id)
{
    ready_worker& added = staff_.workers.add(id);
    placement_.handout.consider(added);
    staff_.elasticity.note_idle(added, now_);
    return added;
}

std::unique_ptr<ready_worker> engine::take_worker(ready_worker& worker)
{
    std::unique_ptr<ready_worker> taken = staff_.workers.take(worker);
    placement_.handout.remove(*taken);
    if (taken->drains_for)
        stop_draining(*taken->drains_for);
    return taken;
}

void engine::worker_gone(worker_id worker, const worker_loss& loss)
{
    if (ready_worker* const found = find(worker))
        lose_worker(*found, loss);
    count_nodes();
    staff_.roster.gone(worker, loss, now_());
}

void engine::lose_worker(ready_worker& lost, const worker_loss& loss)
{
    const worker_id worker = lost.id;
    const std::unique_ptr<ready_worker> gone = take_worker(lost);
    // Last chunk first: each puts what it had not begun in front of the line.
    for (auto held = gone->held.rbegin(); held != gone->held.rend(); ++held) {
        for (const auto& c : loss.chunks)
            if (c.id == held->work->id)
                held->since = c.since;
        if (settings_.chaos && !loss.expected)
            for (const auto& b : loss.begun)
                if (b.culprit && b.id == held->work->id && b.position < held->keep)
                    count_kill(*held, b.position);
        lose_chunk(worker, *held, loss);
        settle_account(*held, duration::zero(), 0);
    }
    trace_worker(trace_event::worker_gone, worker, !loss.expected);
}

// A chunk of which nothing more will be heard.
void engine::lose_chunk(worker_id worker, given_chunk& held, const worker_loss& loss)
{
    std::size_t begun = held.settled; // behind the last task that was
    for (const auto& b : loss.begun)
        if (b.id == held.work->id && b.position < held.keep)
            begun = std::max(begun, b.position + 1);
    if (held.owner)
        lose_tasks(held, loss);
    else
        drop_outstanding(held);
    chunk_cut_off(worker, held, begun, loss.expected);
    if (held.owner)
        disown(held);
}

void engine::chunk_lost(worker_id worker, chunk_id id, const worker_loss& loss)
{
    ready_worker* const w = find(worker);
    given_chunk* const held = w ? find(*w, id) : nullptr;
    if (!held)
        return;
    held->all_begun = true; // an operation that fails now has nothing of it to take back
    w->running -= held->outstanding();
    staff_.workers.recount(*w);
    lose_chunk(worker, *held, loss);
    held->settled = held->keep;
    end_chunk(*w, *held);
}

void engine::forget_workers()
{
    for (auto& w : staff_.workers) {
        for (given_chunk& h : w->held) {
            if (h.owner) {
                const auto answered =
                    std::count_if(h.expired.begin(), h.expired.end(), [&](auto p) { return p >= h.settled; });
                h.owner->held_tasks -= h.outstanding() - static_cast<std::size_t>(answered);
                touch(*h.owner);
            }
            chunk_cut_off(w->id, h, h.settled);
            if (h.owner)
                disown(h);
            settle_account(h, duration::zero(), 0);
        }
        trace_worker(trace_event::worker_gone, w->id);
        if (w->drains_for)
            stop_draining(*w->drains_for);
    }
    placement_.handout.clear();
    staff_.workers.clear();
}

} // namespace twat::mp::detail
