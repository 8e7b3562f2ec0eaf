// SPDX-License-Identifier: BSL-1.0
// The engine's part that takes the outcomes of tasks, and the ends of chunks.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp::detail {

// Takes note that a task has an outcome. False: nobody wants it.
bool engine::settle(ready_worker& worker, chunk_id id, std::size_t position, given_chunk*& held)
{
    held = find(worker, id);
    if (!held || position != held->settled || position >= held->keep) {
        ++totals_.cancelled;
        return false;
    }
    if (settings_.chaos)
        count_late(*held, position, 1);
    ++held->settled;
    --worker.running;
    staff_.workers.recount(worker);
    if (worker.held.size() > 1)
        placement_.handout.consider(worker);
    if (held->is_expired(position) && held->outstanding() != 0 && !held->doomed && !worker.dying) {
        // It returned within the grace. The worker is at those that it had claimed behind it, which have their own time.
        agenda_.clock.spare(*held);
        agenda_.clock.check_at(*held, now_());
    }
    if (held->outstanding() == 0) {
        leave_place(*held);
        no_longer_runs(*held);
        if (!held->owner)
            agenda_.clock.check_at(*held, time_point::max());
    }
    if (held->is_expired(position) || !held->owner) {
        totals_.cancelled += !held->is_expired(position);
        chunk_is_over(worker.id, *held);
        return false;
    }
    --held->owner->held_tasks;
    if (position == held->beaten) { // whatever it gives: its task has its outcome
        touch(*held->owner);
        chunk_is_over(worker.id, *held);
        return false;
    }
    held->owner->yielded = false;
    return true;
}

// On threads an operation that was stopped waits for its running tasks, but not for what they give.
bool engine::drops_outcome(operation_state& op)
{
    if (!op.stopping || !op.final_error)
        return false;
    ++totals_.cancelled;
    touch(op);
    return true;
}

void engine::task_finished(worker_id worker, chunk_id id, std::size_t position, decoder* value)
{
    task_finished(worker, id, {.index = 0, .value = value, .position = position}, value ? value->remaining() : 0);
}

void engine::task_decoded(worker_id worker, chunk_id id, std::size_t position, decoded_result& value, std::size_t size)
{
    task_finished(worker, id, {.index = 0, .decoded = &value, .position = position}, size);
}

/// @param task Knows its value and its position.
void engine::task_finished(worker_id worker, chunk_id id, finished_task task, std::size_t size)
{
    const std::size_t position = task.position;
    ready_worker* w = find(worker);
    given_chunk* held = nullptr;
    if (!w || !settle(*w, id, position, held))
        return;
    operation_state& op = *held->owner;
    if (drops_outcome(op))
        return chunk_is_over(worker, *held);
    if (position == held->timed_out) {
        fail_task(op, held->work->first + position, timed_out(held->work->first + position), held,
                  trace_outcome::timed_out);
        return chunk_is_over(worker, *held);
    }
    task.index = held->work->first + position;
    task.tasks = held->work->tasks.get();
    totals_.bytes_received += size;
    publish_read_at_once(op, 1);
    if (std::exception_ptr unreadable = op.op->store(task)) {
        if (!try_later(op, *held, position, unreadable))
            fail_task(op, task.index, std::move(unreadable), held);
        return chunk_is_over(worker, *held);
    }
    win_race(*held, position);
    ++op.done;
    ++totals_.done;
    if (op.tenant->counters)
        op.tenant->counters->add_done(1);
    chunk_is_over(worker, *held);
    touch(op);
}

// Thousands of small results in a row are looked at one by one only where they are stored.
void engine::tasks_finished(worker_id worker, chunk_id id, std::size_t position, std::size_t count,
                            const encoded_values* values)
{
    ready_worker* const w = find(worker);
    given_chunk* const held = w ? find(*w, id) : nullptr;
    const bool plain = held && held->owner && held->expired.empty() && held->timed_out == no_position && !held->twin &&
                       held->beaten == no_position && position == held->settled && count <= held->outstanding() &&
                       !(held->owner->stopping && held->owner->final_error);
    if (!plain)
        return backend_events::tasks_finished(worker, id, position, count, values);
    operation_state& op = *held->owner;
    const std::uint64_t first = held->work->first + position;
    std::exception_ptr unreadable;
    publish_read_at_once(op, count);
    const std::size_t stored = op.op->store_all({first, count, values, held->work->tasks.get(), position}, unreadable);
    const std::size_t told = stored + (unreadable ? 1 : 0);
    if (settings_.chaos)
        count_late(*held, position, told);
    held->settled += told;
    if (held->outstanding() == 0) {
        leave_place(*held);
        no_longer_runs(*held);
    }
    op.yielded = false;
    w->running -= told;
    staff_.workers.recount(*w);
    op.held_tasks -= told;
    if (w->held.size() > 1)
        placement_.handout.consider(*w);
    op.done += stored;
    totals_.done += stored;
    if (op.tenant->counters)
        op.tenant->counters->add_done(stored);
    if (values)
        totals_.bytes_received += told * values->size;
    touch(op);
    if (unreadable && !try_later(op, *held, position + stored, unreadable))
        fail_task(op, first + stored, std::move(unreadable), held);
    chunk_is_over(worker, *held);
    if (told == count)
        return;
    encoded_values rest{};
    if (values)
        rest = {values->first + told * values->distance, values->size, values->distance};
    backend_events::tasks_finished(worker, id, position + told, count - told, values ? &rest : nullptr);
}

void engine::task_failed(worker_id worker, chunk_id id, std::size_t position, std::exception_ptr error)
{
    ready_worker* w = find(worker);
    given_chunk* held = nullptr;
    if (!w || !settle(*w, id, position, held))
        return;
    if (drops_outcome(*held->owner))
        return chunk_is_over(worker, *held);
    const std::uint64_t index = held->work->first + position;
    if (position == held->timed_out)
        fail_task(*held->owner, index, timed_out(index), held, trace_outcome::timed_out);
    else if (!try_later(*held->owner, *held, position, error))
        fail_task(*held->owner, index, std::move(error), held);
    chunk_is_over(worker, *held);
}

// The task is not among `held_tasks` any more.
void engine::fail_task(operation_state& op, std::uint64_t index, std::exception_ptr error, given_chunk* held,
                       trace_outcome how)
{
    ++op.failed;
    ++totals_.failed;
    if (op.tenant->counters)
        op.tenant->counters->add_failed();
    totals_.timed_out += how == trace_outcome::timed_out;
    totals_.lost += how == trace_outcome::died;
    op.worst = std::max(op.worst, how);
    if (held) {
        win_race(*held, static_cast<std::size_t>(index - held->work->first));
        ++held->failed;
        held->worst = std::max(held->worst, how);
    }
    if (settings_.failed) {
        observed_failure failure{};
        failure.index = index;
        failure.how = how;
        failure.label = op.traits().options.label;
        failure.tenant = op.traits().options.tenant;
        failure.error = error;
        if (held && held->taker.host) {
            failure.host = held->taker.host->c_str();
            failure.worker = held->taker.lane;
        }
        settings_.failed(failure, held ? held->holder->id : 0);
    }
    touch(op);
    if (!op.traits().stops_at_failure) {
        publish_read_at_once(op, 0);
        op.op->store_failure(index, std::move(error));
        return;
    }
    // The first one that arrives, or the one with the lowest index.
    if (!op.first_error || (index < op.first_error_index && !op.failed_fast)) {
        op.first_error = std::move(error);
        op.first_error_index = index;
    }
    op.failed_fast = op.traits().options.fail_fast; // what else follows from it is decided when the batch is through
    stop_handing_out(op);
}

void engine::chunk_ended(worker_id worker, chunk_id id, duration busy)
{
    ready_worker* w = find(worker);
    given_chunk* held = w ? find(*w, id) : nullptr;
    if (!held)
        return;
    w->running -= held->outstanding();
    staff_.workers.recount(*w);
    if (held->owner) {
        operation_state& op = *held->owner;
        op.sizes.measured(held->keep, busy);
        // Tasks without an outcome cannot be left over, unless the worker lies; then they count as lost with it.
        for (; held->settled < held->keep; ++held->settled) {
            if (held->is_expired(held->settled))
                continue;
            --op.held_tasks;
            fail_task(
                op, held->work->first + held->settled,
                make_error(errc::protocol_error, "a worker ended a chunk without the outcome of one of its tasks"),
                held);
        }
        touch(op);
    } else {
        drop_outstanding(*held);
    }
    held->settled = held->keep;
    chunk_is_over(worker, *held);
    if (held->owner)
        disown(*held);
    end_chunk(*w, *held);
}

// The worker comes to the next one, if it has one. Nobody owns this one any more.
void engine::end_chunk(ready_worker& worker, given_chunk& held)
{
    const std::shared_ptr<chunk> ended = held.work; // destroyed last: it may be what keeps the operation alive
    const bool was_first = &held == &worker.held.front();
    forget_chunk(worker, held);
    if (was_first && !worker.held.empty() && !worker.held.front().work->coroutine && !worker.held.front().begun)
        chunk_begins(worker.id, worker.held.front());
    leave_if_idle(worker);
}

// The worker has ended it, or is not asked for it any more. It has no owner, and its outstanding tasks do not count as running already.
void engine::forget_chunk(ready_worker& worker, given_chunk& held)
{
    settle_account(held, duration::zero(), 0); // it never began
    worker.held.remove_if([&](const given_chunk& h) { return &h == &held; });
    staff_.workers.recount(worker);
    placement_.handout.consider(worker);
    if (worker.held.empty())
        staff_.elasticity.note_idle(worker, now_);
}

} // namespace twat::mp::detail
