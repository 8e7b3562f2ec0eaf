// SPDX-License-Identifier: BSL-1.0
// The engine's part that tells `pool_options::on_trace` what happens.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {

void engine::trace_worker(trace_event::kind what, worker_id worker, bool died) const
{
    if (!settings_.trace)
        return;
    trace_event event{};
    event.what = what;
    event.when = now_();
    event.outcome = died ? trace_outcome::died : trace_outcome::done;
    settings_.trace(event, worker);
}

void engine::trace_operation(trace_event::kind what, const operation_state& op) const
{
    if (!settings_.trace)
        return;
    trace_event event{};
    event.what = what;
    event.when = now_();
    event.operation = op.id;
    event.label = op.traits().options.label;
    event.trace_parent = op.traits().options.trace_parent;
    event.tenant = op.traits().options.tenant;
    event.coroutine = op.traits().coroutine;
    event.count = op.traits().total.value_or(0);
    if (what == trace_event::operation_ended) {
        event.count = op.outcomes();
        event.failed = op.failed;
        event.took = event.when - op.initiated;
        if (op.final_error && !op.failed_fast)
            event.outcome = trace_outcome::cancelled;
        else if (op.failed != 0)
            event.outcome = op.worst;
    }
    settings_.trace(event, 0);
}

trace_event engine::event_of(trace_event::kind what, const given_chunk& held)
{
    const chunk& work = *held.work;
    const call_options& options = work.op->traits().options;
    trace_event event{};
    event.what = what;
    event.operation = work.op_id;
    event.chunk = work.id;
    event.first = work.first;
    event.count = held.keep;
    event.coroutine = work.coroutine;
    event.copy = work.copy;
    event.label = options.label;
    event.trace_parent = options.trace_parent;
    event.tenant = options.tenant;
    if (held.taker.host) {
        event.host = held.taker.host->c_str();
        event.worker = held.taker.lane;
    }
    return event;
}

/// What waits for a host has not begun for those who watch.
bool engine::is_seen(const given_chunk& held) const { return held.begun && (!can_.hosts || held.taker.host); }

void engine::set_observers(std::function<void(const trace_event&, worker_id)> trace,
                           std::function<void(const observed_failure&, worker_id)> failed)
{
    settings_.trace = std::move(trace);
    settings_.failed = std::move(failed);
}

void engine::describe(const std::function<void(const trace_event&, worker_id)>& tell) const
{
    for (const auto& worker : staff_.workers) {
        if (worker->guest)
            continue;
        trace_event ready{};
        ready.what = trace_event::worker_ready;
        ready.when = now_();
        tell(ready, worker->id);
        for (const given_chunk& held : worker->held)
            if (is_seen(held) && !held.over) {
                trace_event begun = event_of(trace_event::chunk_begun, held);
                begun.when = held.since;
                tell(begun, worker->id);
            }
    }
}

void engine::trace_chunk(trace_event::kind what, worker_id worker, const given_chunk& held, time_point when,
                         duration took) const
{
    if (!settings_.trace || !is_seen(held))
        return;
    trace_event event = event_of(what, held);
    event.when = when;
    if (what == trace_event::chunk_ended) {
        event.failed = held.failed;
        event.took = took;
        event.outcome = held.worst;
        if (held.worst == trace_outcome::done && (held.cancelled || !held.owner))
            event.outcome = trace_outcome::cancelled;
    }
    settings_.trace(event, worker);
}

void engine::trace_usage(worker_id worker, const given_chunk& held, const usage& used) const
{
    if (!settings_.trace)
        return;
    trace_event event = event_of(trace_event::task_used, held);
    event.when = now_();
    event.first = used.task_index;
    event.count = 1;
    event.took = used.ran;
    event.used = &used;
    settings_.trace(event, worker);
}

void engine::tell_end(worker_id worker, given_chunk& held, std::size_t tasks, time_point until)
{
    held.over = true;
    const duration took = std::max(duration::zero(), duration(until - held.since));
    live_tenant* const tenant = held.payer ? held.payer->counters.get() : nullptr;
    if (tasks != 0) {
        const duration each = took / static_cast<duration::rep>(tasks);
        timings_->run_time.record(each, tasks);
        if (tenant)
            tenant->run_time.record(each, tasks);
        if (held.owner && held.owner->times)
            held.owner->times->record(each, tasks);
    }
    if (held.opens) {
        const duration waited = std::max(duration::zero(), duration(held.since - *held.opens));
        timings_->queue_wait.record(waited);
        if (tenant)
            tenant->queue_wait.record(waited);
    }
    settle_account(held, took, tasks);
    trace_chunk(trace_event::chunk_ended, worker, held, until, took);
}

// Where the last task of a chunk has its outcome: the worker's word that it is done with the chunk may come much later, when the pool has
// nothing to do meanwhile and does not listen. When it came to the chunk and had the last outcome only the worker knows: the pool hears of
// both later, if it has no processor for a while, at once.
void engine::chunk_is_over(worker_id worker, given_chunk& held)
{
    if (held.outstanding() != 0 || held.over || !held.begun)
        return;
    const auto known = backend_.times(worker, held.work->id);
    if (known)
        held.since = known->since;
    tell_end(worker, held, held.keep, known && known->until ? *known->until : now_());
}

// A chunk whose worker is gone, or that nobody waits for any more: the part of it that ran counts as any other.
void engine::chunk_cut_off(worker_id worker, given_chunk& held, std::size_t begun, bool expected)
{
    if (!held.begun || held.over)
        return;
    if (const auto known = backend_.times(worker, held.work->id))
        held.since = known->since;
    held.keep = std::max(begun, held.settled);
    if (!expected && held.keep > held.settled)
        held.worst = std::max(held.worst, trace_outcome::died);
    tell_end(worker, held, begun, now_());
}

} // namespace twat::mp::detail
