// SPDX-License-Identifier: BSL-1.0
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// A bystander runs again for nothing. Where a culprit died that is bounded, as each culprit uses up a run of its own. Where there was none,
// one of those that were suspended may be what kills its worker each time, through a thread that it made, say.
constexpr std::size_t most_unexplained = 8;
// Elements that are read from a range at once where nobody will run them.
constexpr std::size_t most_unwanted = 1024;
// Tasks in a row that fail with a broken pool and get an exception of their own, at 2 us each.
constexpr std::size_t most_own_errors = 4096;

} // namespace

engine::engine(settings s, backend& workers, std::function<time_point()> now)
    : settings_(std::move(s)), backend_(workers), can_(workers.can()), now_(std::move(now)),
      admission_({.max_pending = settings_.max_pending,
                  .max_pending_bytes = settings_.max_pending_bytes,
                  .on_overflow = settings_.on_overflow,
                  .shed = settings_.shed}),
      roster_({.nodes = settings_.nodes,
               .min_nodes = settings_.min_nodes,
               .idle_timeout = settings_.idle_timeout,
               .start_timeout = settings_.start_timeout,
               .restarts = settings_.restarts,
               .starts_at_once = settings_.starts_at_once,
               .can_kill = can_.can_kill,
               .launches = can_.launches,
               .seed = settings_.seed}),
      elastic_(can_.launches && roster_.kept() < settings_.nodes), random_(settings_.seed)
{
    if (!can_.launches) { // nobody would take their places
        settings_.max_tasks_per_child = 0;
        settings_.max_age_per_child = {};
        count_nodes();
    }
}

engine::~engine() = default;

ready_worker* engine::find(worker_id id) const noexcept
{
    const auto found = worker_of_.find(id);
    return found == worker_of_.end() ? nullptr : found->second;
}

given_chunk* engine::find(ready_worker& worker, chunk_id id) noexcept
{
    for (given_chunk& h : worker.held)
        if (h.work->id == id)
            return &h;
    return nullptr;
}

operation_state* engine::find(operation& op) noexcept
{
    const auto it = operations_.find(&op);
    return it == operations_.end() ? nullptr : it->second.get();
}

// ---------------------------------------------------------------- operations go

void engine::touch(operation_state& op) noexcept
{
    resting_ -= std::exchange(op.resting, false);
    if (!op.touched())
        touched_.push_back(op);
}

bool engine::is_over(const operation_state& op) const noexcept
{
    return op.held_tasks == 0 && op.requeued.empty() && op.delayed.empty() && (op.stopping || op.exhausted);
}

// Reports progress and completes what is over. Completing an operation only queues its handler, so nothing calls back in here.
void engine::flush()
{
    // In the order in which they were touched, and so complete. More may come while it goes on.
    while (!touched_.empty()) {
        operation_state& op = touched_.front();
        touched_.pop_front();
        if (op.unless_begun && !op.final_error) {
            if (const auto begun = has_begun(op)) {
                auto error = std::exchange(op.unless_begun, nullptr);
                if (!*begun) {
                    stop(op, std::move(error), stop_force::ask); // may finish it, or touch it again
                    continue;
                }
            }
        }
        if (!op.used.empty()) {
            try {
                for (const usage& used : std::exchange(op.used, {}))
                    if (!op.final_error)
                        op.op->report_usage(used);
            }
            catch (...) {
                stop(op, std::current_exception(), stop_force::kill); // may finish it, or touch it again
                continue;
            }
        }
        if (op.traits().counts_progress && op.outcomes() != 0 && !op.final_error) {
            const std::shared_ptr<operation> looked_for = op.op;
            look_at_reports(op);
            if (!knows(*looked_for) || op.final_error || !tell_progress(op, progress_of(op)))
                continue;
        }
        if (op.failed_fast && !op.final_error) {
            stop(op, op.first_error, stop_force::kill);
            continue;
        }
        if (is_over(op)) {
            finish(op, op.final_error ? op.final_error : op.first_error);
            continue;
        }
        if (has_work(op))
            line_up(op);
        else
            leave_queue(op);
        if (op.traits().stream && op.held_tasks == 0 && op.delayed.empty() && !op.waiting && !op.outside() &&
            !op.at_bound())
            resting_ += !std::exchange(op.resting, true);
    }
}

// The one place where an operation ends.
void engine::finish(operation_state& op, std::exception_ptr error)
{
    while (!op.held.empty())
        disown(op.held.front());
    if (guests_ != 0)
        for (auto& w : workers_)
            if (w->only == &op)
                w->only = nullptr;
    leave_queue(op);
    listen_no_more(op);
    stop_draining(op);
    if (alone_ == &op)
        alone_ = nullptr;
    resting_ -= op.resting;
    admission_.leave(op);
    if (op.tenant->counters && !op.begun)
        op.tenant->counters->add_pending(-1);
    let_go(op);
    totals_.cancelled += op.requeued_tasks;
    drop_delayed(op);

    others_ended_ += !op.traits().call;
    ++(op.terminated ? ended_.terminated : ended_.finished);
    trace_operation(trace_event::operation_ended, op);
    auto node = operations_.extract(op.op.get());
    // Whoever waits may read the exception at once: from now on it is theirs alone.
    op.first_error = op.final_error = nullptr;
    publish();
    op.op->complete(std::move(error));
}

void engine::publish() const
{
    if (settings_.publish)
        settings_.publish();
}

// The reader of a stream may have an element as soon as it is stored. It then counts already.
void engine::publish_read_at_once(const operation_state& op, std::size_t done)
{
    if (!op.traits().stream)
        return;
    totals_.done += done;
    publish();
    totals_.done -= done;
}

// No task of it can be running for its operation any more: another chunk may take its place.
void engine::leave_place(given_chunk& held) noexcept
{
    if (!held.in_place)
        return;
    held.in_place = false;
    --held.owner->places;
    may_steal_ = true;
    touch(*held.owner);
}

// Nobody waits for the outcome of its tasks any more.
void engine::disown(given_chunk& held) noexcept
{
    leave_place(held);
    hedges_.clear(held.hedge);
    held.list_hook<late_tag>::unlink();
    part(held, held.late_at);
    operation_state& op = *std::exchange(held.owner, nullptr);
    op.held.erase(op.held.iterator_to(held));
    --op.held_chunks;
    --held_of_[static_cast<std::size_t>(op.prio)];
    parts_of_[static_cast<std::size_t>(op.prio)] -= held.is_part;
    const time_point check = held.check.due();
    checks_.clear(held.check);
    check_at(held, check); // its time goes on
}

void engine::feed(operation& op)
{
    if (operation_state* state = find(op)) {
        line_up(*state);
        touch(*state);
    }
}

void engine::close(error_maker refusal)
{
    if (!refusal_)
        refusal_ = std::move(refusal);
}

// ---------------------------------------------------------------- outcomes

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
    recount(worker);
    if (worker.held.size() > 1)
        consider(worker);
    if (held->is_expired(position) && held->outstanding() != 0 && !held->doomed && !worker.dying) {
        // It returned within the grace. The worker is at those that it had claimed behind it, which have their own time.
        kills_.clear(held->kill);
        check_at(*held, now_());
    }
    if (held->outstanding() == 0) {
        leave_place(*held);
        no_longer_runs(*held);
        if (!held->owner)
            unwanted_checks_.clear(held->check);
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
    recount(*w);
    op.held_tasks -= told;
    if (w->held.size() > 1)
        consider(*w);
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
    recount(*w);
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
    if (was_first && !worker.held.empty() && !worker.held.front().work->coroutine)
        chunk_begins(worker.id, worker.held.front());
    leave_if_idle(worker);
}

// The worker has ended it, or is not asked for it any more. It has no owner, and its outstanding tasks do not count as running already.
void engine::forget_chunk(ready_worker& worker, given_chunk& held)
{
    settle_account(held, duration::zero(), 0); // it never began
    worker.held.remove_if([&](const given_chunk& h) { return &h == &held; });
    recount(worker);
    consider(worker);
    if (worker.held.empty())
        note_idle(worker);
}

// ---------------------------------------------------------------- workers that are lost

// Counts the tasks of a chunk of which nothing more will be heard, unless they had their answer when they ran out of time.
void engine::drop_outstanding(const given_chunk& held) noexcept
{
    for (std::size_t position = held.settled; position < held.keep; ++position)
        totals_.cancelled += !held.is_expired(position);
}

// A worker died that held this chunk. What it had begun dies with it, what it had not begun goes elsewhere.
void engine::lose_tasks(given_chunk& held, const worker_loss& loss)
{
    operation_state& op = *held.owner;
    std::size_t lost = held.settled; // behind the last task that was begun
    for (const auto& begun : loss.begun)
        if (begun.id == held.work->id && begun.position < held.keep)
            lost = std::max(lost, begun.position + 1);
    for (const std::size_t position : held.expired)
        lost = std::max(lost, position + 1);
    if (held.twin)
        lost = std::max(lost, held.late_at + 1);

    const std::uint64_t first = held.work->first;
    const std::size_t attempt = held.work->attempt;
    const bool is_bystander = std::any_of(loss.begun.begin(), loss.begun.end(),
                                          [&](const auto& b) { return b.id == held.work->id && !b.culprit; });
    const bool explained = std::any_of(loss.begun.begin(), loss.begun.end(), [](const auto& b) { return b.culprit; });
    const std::size_t unexplained = held.work->unexplained + (is_bystander && !explained);
    held.work->tasks->split(held.keep); // nothing, or what was taken back long ago
    std::unique_ptr<payload> rest = held.work->tasks->split(lost);
    op.held_tasks -= rest->size();
    if (rest->size() != 0)
        requeue(op, first + lost, std::move(rest), attempt, held.work->unexplained, held.work->failures);

    op.died = op.died || lost > held.settled;
    for (std::size_t position = lost; position-- > held.settled;) {
        std::unique_ptr<payload> task = held.work->tasks->split(position);
        if (held.is_expired(position))
            continue; // had its answer when it ran out of time
        --op.held_tasks;
        const std::uint64_t index = first + position;
        if (race_goes_on(held, position, run_end::died))
            continue;
        if (op.stopping && op.final_error)
            continue;
        if (is_bystander && op.traits().options.retries != 0 && unexplained <= most_unexplained && !op.stopping)
            requeue(op, index, std::move(task), attempt, unexplained, held.work->failures);
        else if (is_bystander)
            fail_task(op, index, loss.explain_to_bystander ? loss.explain_to_bystander(index) : loss.explain(index),
                      &held, trace_outcome::died);
        else if (attempt < op.traits().options.retries && !op.stopping)
            requeue(op, index, std::move(task), attempt + 1, unexplained, held.work->failures);
        else if (attempt != 0)
            fail_task(op, index,
                      make_nested(errc::task_quarantined,
                                  "task " + std::to_string(index) + " killed " + std::to_string(attempt + 1) +
                                      " workers and is not run again (call_options::retries)",
                                  loss.explain(index), index),
                      &held, trace_outcome::died);
        else
            fail_task(op, index, loss.explain(index), &held, trace_outcome::died);
    }
    touch(op);
}

// What has an outcome keeps it, every other task fails with an error of its own.
void engine::fail_rest(operation_state& op, const error_maker& error)
{
    for (given_chunk& h : op.held)
        take_back(*h.holder, h, true);
    for (given_chunk& h : op.held) // each task has one answer
        if (h.work->copy && part(h, h.late_at))
            lose_race(h);
    // What runs on a thread has its outcome when it returns; processes are killed. Nothing can be awaited of workers that do not answer.
    for (auto next = op.held.begin(); next != op.held.end();) {
        given_chunk& h = *next++;
        if (!can_.can_kill && !h.recalling)
            continue;
        for (std::size_t position = h.settled; position != h.keep; ++position)
            if (!h.is_expired(position)) {
                --op.held_tasks;
                fail_all(op, *h.work, position, position + 1, error);
            }
        disown(h);
    }
    while (!op.requeued.empty()) {
        const std::shared_ptr<chunk> waiting = take_requeued(op);
        fail_all(op, *waiting, 0, waiting->tasks->size(), error);
    }
    while (!op.delayed.empty()) {
        const std::shared_ptr<chunk> waiting = std::move(op.delayed.front().work);
        op.delayed.pop_front();
        fail_all(op, *waiting, 0, 1, error);
    }
    while (!op.exhausted) {
        chunk rest;
        rest.first = op.next_index;
        if (op.traits().total) {
            op.next_index = *op.traits().total;
            op.exhausted = true;
            fail_all(op, rest, 0, static_cast<std::size_t>(op.next_index - rest.first), error);
            break;
        }
        // Nobody knows how many are left: the range is read to its end.
        std::unique_ptr<payload> unwanted;
        try {
            unwanted = op.op->make_payload();
        }
        catch (...) {
            op.final_error = std::current_exception();
            break;
        }
        const pull_result pulled = op.op->pull(*unwanted, most_unwanted, settings_.max_message_size);
        op.done += pulled.skipped;
        rest.first += pulled.skipped;
        op.next_index = rest.first + pulled.count;
        fail_all(op, rest, 0, pulled.count, error);
        if (pulled.refused)
            fail_task(op, op.next_index++, pulled.refused);
        op.exhausted = pulled.ended || pulled.broken;
        if (pulled.broken)
            op.final_error = pulled.broken;
    }
    op.exhausted = true;
    touch(op);
}

void engine::fail_all(operation_state& op, const chunk& work, std::size_t from, std::size_t to,
                      const error_maker& error)
{
    std::exception_ptr last;
    for (std::size_t position = from; position != to; ++position) {
        const std::uint64_t index = work.first + position;
        // Each its own, as others may read them at the same time; beyond that the user's loop would stand for too long.
        if (!last || position - from < most_own_errors)
            last = annotate(error(), index);
        fail_task(op, index, last);
    }
}

// ---------------------------------------------------------------- for the pool

bool engine::idle_but_for_streams() const { return operations_.size() == resting_; }

// A task that nobody waits for still has its timeout, and somebody must look at the clock.
bool engine::active() const { return !idle_but_for_streams() || !kills_.empty() || !unwanted_checks_.empty(); }

pool_stats engine::stats() const
{
    pool_stats s = totals_;
    s.nodes = settings_.nodes;
    s.ready = ledger_.ready();
    s.running = ledger_.running(); // a chunk whose tasks all have their outcome is as good as gone
    s.busy = ledger_.busy();
    s.pending = admission_.inside();
    s.waiting = admission_.outside();
    s.pending_bytes = admission_.bytes();
    s.died = roster_.died();
    s.restarts = roster_.restarts();
    s.starting = roster_.starting();
    return s;
}

} // namespace twat::mp::detail
