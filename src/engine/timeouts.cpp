// SPDX-License-Identifier: BSL-1.0
// The engine's part that looks at the clock: timeouts of tasks, limits of operations, and what else comes due.
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/exception/stack_error.hpp>

namespace twat::mp::detail {
namespace {

// Operations whose time is over that are ended in one go: about 100 us, for which the user's loop stands still.
constexpr int most_due_at_once = 64;

} // namespace

std::exception_ptr engine::timed_out(std::uint64_t index, const stacktrace& stack, const parcel& call)
{
    // What comes of it, the code's message says after this.
    return make_stack_error(errc::task_timed_out, "task " + std::to_string(index) + " (call_options::timeout)", index,
                            stack, call);
}

// Of the worker that runs its task with the lowest index.
stacktrace engine::stack_of(operation_state& op)
{
    const given_chunk* first = nullptr;
    for (const given_chunk& h : op.held)
        if (!h.holder->dying && h.outstanding() != 0 && (!first || h.work->first < first->work->first) &&
            (h.work->coroutine || &h == &h.holder->held.front()))
            first = &h;
    return first ? backend_.ask_for_stack(first->holder->id, first->work->id) : stacktrace();
}

void engine::tick()
{
    const time_point now = now_();
    // Thousands of calls may be due at one moment. `next_wake` is not later for those that are left.
    for (int n = 0; n < most_due_at_once; ++n)
        if (operation_state* const late = operations_.take_late(now))
            check_limits(*late, now);
    while (staff_.recycling.next() <= now && may_recycle_another())
        recycle(*staff_.recycling.take_due(now));
    for (auto late = agenda_.clock.take_overdue(now); late.chunk; late = agenda_.clock.take_overdue(now))
        overdue(*late.chunk->holder, *late.chunk, late.due);
    while (given_chunk* const late = agenda_.clock.take_check(now))
        check_timeout(*late->holder, *late, now);
    while (given_chunk* const late = agenda_.hedging.take_due(now))
        consider_hedge(*late, now);
    begin_due_attempts(now);
    if (agenda_.listeners.next() <= now)
        look_at_reports();
    staff_.elasticity.shrink_if_idle(staff_.workers.all(), now, [this](ready_worker& idle) { send_away(idle, true); });
    staff_.roster.tick(now, [this](worker_id worker) { return backend_.start_time_used(worker); });
    carry_out();
}

// The deadline of an operation or its queue timeout has passed.
void engine::check_limits(operation_state& op, time_point now)
{
    if (op.final_error)
        return;
    if (op.deadline <= now)
        return stop(op, make_stack_error(errc::deadline_exceeded, {}, std::nullopt, stack_of(op)), stop_force::kill);
    operations_.expect_deadline(op);
    stop_unless_begun(op, make_error(errc::queue_timed_out), stop_force::kill);
}

// A chunk whose tasks were asked to stop is still there.
void engine::overdue(ready_worker& worker, given_chunk& held, time_point due)
{
    const time_point now = now_();
    if (agenda_.clock.looks_again(held, due, now))
        return; // what the worker has sent meanwhile is read first
    if (held.work->coroutine) {
        const std::shared_ptr<chunk> work = held.work;
        backend_.abandon(worker.id, work->id);
        chunk_cut_off(worker.id, held, held.keep);
        if (held.owner)
            disown(held);
        drop_outstanding(held);
        worker.running -= held.outstanding();
        return forget_chunk(worker, held);
    }
    if (held.recalling && &held != &worker.held.front())
        return agenda_.clock.prolong(held, now); // it may have begun nothing of it
    if (!held.expired.empty() && !held.doomed) {
        const std::size_t last = held.expired.back();
        const auto running = backend_.running(worker.id, held.work->id);
        if (held.settled > last || (running && running->position != last))
            // the late task returned, and the worker is at those that it had claimed behind it
            return agenda_.clock.check_at(held, now);
    }
    for (auto h = worker.held.rbegin(); h != worker.held.rend(); ++h)
        take_back(worker, *h, true);
    worker.dying = true;
    staff_.workers.recount(worker);
    for (given_chunk& h : worker.held)
        agenda_.clock.forget(h);
    if (held.expired.empty()) // whose stack its timeout has asked for
        backend_.ask_for_stack(worker.id, held.work->id);
    staff_.roster.replace(worker.id, now_()); // worker_gone tells what it had finished before
}

void engine::check_timeout(ready_worker& worker, given_chunk& held, time_point now)
{
    if (worker.dying)
        return;
    const auto late = agenda_.clock.late_task(held, backend_.running(worker.id, held.work->id), now);
    if (!late)
        return;
    const std::size_t position = *late;
    take_back(worker, held, true);
    if (position >= held.keep || held.is_expired(position)) // the mark of a worker that is wrong, or lies
        return agenda_.clock.check_from(held, now);
    if (!can_.can_kill) {
        // A thread cannot be killed: the task has its outcome when it returns.
        held.timed_out = position;
        if (given_chunk* const other = held.twin; other && held.late_at == position && !worker.dying) {
            other->timed_out = other->late_at;
            ask_to_stop(*other->holder, *other, stop_force::ask);
        }
        ask_to_stop(worker, held, stop_force::ask);
        return;
    }
    held.expired.push_back(position);
    const stacktrace stack = backend_.ask_for_stack(worker.id, held.work->id); // before it is asked to stop
    ask_to_stop(worker, held, stop_force::kill);
    if (!held.owner) { // nobody is to be told, but the worker is wanted
        ++totals_.cancelled;
        return;
    }
    operation_state& op = *held.owner;
    --op.held_tasks;
    const std::uint64_t index = held.work->first + position;
    fail_task(op, index, timed_out(index, stack, backend_.parcel_of(worker.id, held.work->id, position)), &held,
              trace_outcome::timed_out);
}

bool engine::judges() const
{
    const time_point now = now_();
    return std::min({operations_.next_limit(), agenda_.clock.next_of_an_operation(), agenda_.hedging.next()}) <= now ||
           staff_.roster.judges(now);
}

time_point engine::next_wake() const
{
    return std::min(
        {agenda_.next(), placement_.idle_search.next(), operations_.next_limit(), staff_.next_due(settings_.nodes)});
}

} // namespace twat::mp::detail
