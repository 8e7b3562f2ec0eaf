// SPDX-License-Identifier: BSL-1.0
#include "engine/engine.hpp"

#include <utility>

namespace twat::mp::detail {
namespace {

engine::settings fitting(engine::settings s, const capabilities& can)
{
    if (!can.launches) { // nobody would take their places
        s.max_tasks_per_child = 0;
        s.max_age_per_child = {};
    }
    return s;
}

} // namespace

engine::engine(settings s, backend& workers, std::function<time_point()> now)
    : settings_(fitting(std::move(s), workers.can())), backend_(workers), can_(workers.can()), now_(std::move(now)),
      accounts_(timings_->tenants, settings_.child_concurrency), entrance_(settings_), staff_(settings_, can_),
      placement_(settings_, can_), agenda_(settings_, can_)
{
    count_nodes();
}

engine::~engine() = default;

given_chunk* engine::find(ready_worker& worker, chunk_id id) noexcept
{
    for (given_chunk& h : worker.held)
        if (h.work->id == id)
            return &h;
    return nullptr;
}

operation_state* engine::find(operation& op) noexcept { return operations_.find(op); }

// ---------------------------------------------------------------- operations go

void engine::touch(operation_state& op) noexcept { operations_.touch(op); }

bool engine::is_over(const operation_state& op) const noexcept
{
    return op.held_tasks == 0 && op.requeued.empty() && op.delayed.empty() && (op.stopping || op.exhausted);
}

// Reports progress and completes what is over. Completing an operation only queues its handler, so nothing calls back in here.
void engine::flush()
{
    // In the order in which they were touched, and so complete. More may come while it goes on.
    while (operation_state* const touched = operations_.take_touched()) {
        operation_state& op = *touched;
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
            operations_.rest(op);
    }
}

// The one place where an operation ends.
void engine::finish(operation_state& op, std::exception_ptr error)
{
    while (!op.held.empty())
        disown(op.held.front());
    if (staff_.workers.any_guest())
        for (auto& w : staff_.workers)
            if (w->only == &op)
                w->only = nullptr;
    leave_queue(op);
    if (op.traits().counts_progress)
        agenda_.listeners.remove(op);
    stop_draining(op);
    placement_.backlog.forget(op);
    entrance_.admission.leave(op);
    if (op.tenant->counters && !op.begun)
        op.tenant->counters->add_pending(-1);
    --op.tenant->operations;
    accounts_.release(*op.tenant);
    totals_.cancelled += op.requeued_tasks;
    drop_delayed(op);

    trace_operation(trace_event::operation_ended, op);
    const auto over = operations_.take(op);
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

// The chunk is over: a worker was at so many of its tasks for so long.
void engine::settle_account(given_chunk& held, duration used, std::size_t tasks) noexcept
{
    if (accounts_.settle(held, used, tasks))
        placement_.idle_search.note_change();
}

void engine::no_longer_runs(given_chunk& held) noexcept
{
    if (accounts_.no_longer_runs(held))
        placement_.idle_search.note_change();
}

// No task of it can be running for its operation any more: another chunk may take its place.
void engine::leave_place(given_chunk& held) noexcept
{
    if (!held.in_place)
        return;
    held.in_place = false;
    --held.owner->places;
    placement_.idle_search.note_change();
    touch(*held.owner);
}

// Nobody waits for the outcome of its tasks any more.
void engine::disown(given_chunk& held) noexcept
{
    leave_place(held);
    agenda_.hedging.disowned(held);
    operation_state& op = *std::exchange(held.owner, nullptr);
    op.held.erase(op.held.iterator_to(held));
    --op.held_chunks;
    placement_.backlog.remove(held, op);
    agenda_.clock.disowned(held);
}

void engine::feed(operation& op)
{
    if (operation_state* state = find(op)) {
        line_up(*state);
        touch(*state);
    }
}

void engine::close(error_maker refusal) { entrance_.gate.close(std::move(refusal)); }

// ---------------------------------------------------------------- for the pool

bool engine::idle_but_for_streams() const { return operations_.all_rest(); }

// A task that nobody waits for still has its timeout, and somebody must look at the clock.
bool engine::active() const { return !idle_but_for_streams() || agenda_.clock.keeps_awake(); }

const pool_stats& engine::stats() const
{
    pool_stats& s = totals_;
    s.nodes = settings_.nodes;
    s.ready = staff_.workers.counts().ready();
    s.running = staff_.workers.counts().running(); // a chunk whose tasks all have their outcome is as good as gone
    s.busy = staff_.workers.counts().busy();
    s.pending = entrance_.admission.inside();
    s.waiting = entrance_.admission.outside();
    s.pending_bytes = entrance_.admission.bytes();
    s.died = staff_.roster.died();
    s.restarts = staff_.roster.restarts();
    s.starting = staff_.roster.starting();
    return s;
}

} // namespace twat::mp::detail
