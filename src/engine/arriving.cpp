// SPDX-License-Identifier: BSL-1.0
// The engine's part that takes operations in: what it must know of them, and whether `admission` lets them in, makes them wait or refuses them.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// Small chunks of a given size that travel together: to a process, where 10 us of system calls and waking are 20 ns for each of them;
// to a thread, which begins them one by one all the same.
constexpr std::size_t most_together = 512;
constexpr std::size_t most_together_on_threads = 65536;
// Tasks in the first chunk where all that was not begun can be taken back at once. Going from one to thousands in steps would cost
// a way to the worker and back (10 to 100 us) for each step. Pulling a task costs 10 ns, for which all workers wait.
constexpr std::size_t first_of_pulled = 1024;

} // namespace

void engine::add(std::shared_ptr<operation> op, time_point latest, bool nested)
{
    if (!entrance_.gate.takes()) {
        operations_.count_refused(op->traits());
        return op->complete(entrance_.gate.refuses());
    }
    const operation_traits& traits = op->traits();
    auto state = std::make_unique<operation_state>();
    state->initiated = now_();
    state->nested = nested;
    state->next_index = traits.first_index;
    state->prio = traits.options.prio;
    state->tenant = &accounts_.tenant(traits.options.tenant);
    if (traits.options.deadline != duration::zero())
        state->deadline = saturating_add(state->initiated, traits.options.deadline);
    state->deadline = std::min(state->deadline, latest);
    if (traits.options.queue_timeout != duration::zero())
        state->begin_by = saturating_add(state->initiated, traits.options.queue_timeout);
    chunker::limits limits{.fixed = traits.options.chunk_size, .most = can_.chunk_items, .aim = can_.chunk_aim};
    if (can_.local)
        take_back_unknown();
    if (!traits.stream) {
        if (can_.encodes || can_.local)
            limits.together = can_.local ? most_together_on_threads : most_together;
        if (can_.local && operations_.empty())
            limits.first = op->pulls_for_nothing() ? limits.most : first_of_pulled;
    }
    if (traits.stream) {
        const std::size_t window = traits.options.window;
        limits.most =
            std::min(limits.most, window == 0 ? 1024 : std::max<std::size_t>(1, window / (2 * settings_.nodes)));
        limits.fixed = std::min(limits.fixed, window == 0 ? limits.fixed : window);
    }
    state->sizes = chunker(limits);
    state->times = agenda_.hedging.times_of(*op);
    state->op = std::move(op);

    operation_state& added = operations_.add(std::move(state));
    if (traits.counts_progress)
        agenda_.listeners.add(added, added.initiated);
    if (can_.local && operations_.size() == 1)
        placement_.backlog.note_alone(added);
    trace_operation(trace_event::operation_added, added);
    tenant_state& tenant = *added.tenant;
    ++tenant.operations;
    if (tenant.counters)
        tenant.counters->add_pending(1);
    measure(added);
    if (!settings_.chaos || !refused_by_chaos(added))
        enter(added);
}

void engine::set_tenant(tenant_id id, const tenant_options& options)
{
    entrance_.admission.look_at(accounts_.set(id, options));
}

// Encodes the arguments of a single call, to know how many bytes they are. Ranges are not read before it is their turn.
void engine::measure(operation_state& op)
{
    if (!entrance_.admission.counts_bytes() || op.traits().stream || op.traits().total != 1u)
        return;
    if (std::shared_ptr<chunk> work = pull_chunk(op, 1)) {
        op.waiting_bytes = work->tasks->size_in_bytes();
        op.requeued_tasks += work->tasks->size();
        op.requeued.push_back(std::move(work));
    }
}

// Workers that hold nothing, those that are not there yet among them.
std::size_t engine::free_places() const noexcept
{
    return settings_.nodes - std::min(settings_.nodes, staff_.workers.counts().occupied());
}

void engine::enter(operation_state& op)
{
    const admission::verdict found = entrance_.admission.enter(op, free_places());
    if (found == admission::verdict::in)
        let_in(op);
    else if (found != admission::verdict::waits)
        refuse(op, entrance_.admission.why(found, op));
}

void engine::let_in(operation_state& op)
{
    staff_.elasticity.note_work(op);
    line_up(op);
    touch(op); // an empty range is over at once
    make_room(op);
}

// Whether any was let in.
bool engine::let_in_those_that_wait()
{
    if (entrance_.gate.ends_all())
        return false;
    bool any = false;
    while (operation_state* const op = entrance_.admission.next(free_places())) {
        let_in(*op);
        any = true;
    }
    return any;
}

void engine::refuse(operation_state& op, std::exception_ptr error)
{
    ++totals_.refused;
    if (op.tenant->counters)
        op.tenant->counters->add_refused();
    finish(op, std::move(error));
}

// Whether an operation whose turn it is has waited for too long, and was refused.
bool engine::sheds(operation_state& op)
{
    if (!entrance_.admission.may_shed(op))
        return false;
    const time_point now = now_();
    if (!entrance_.admission.sheds(op, now))
        return false;
    refuse(op, entrance_.admission.waited_too_long(op, now));
    return true;
}

} // namespace twat::mp::detail
