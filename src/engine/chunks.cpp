// SPDX-License-Identifier: BSL-1.0
// The engine's part that makes chunks, gives them to workers, and keeps those that came back.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail {
namespace {

/// Descriptors in one chunk, unless one task alone has more: the system gives few of them to a process (1024, often), and each is open here
/// and in the worker until the chunk is over. What they stand for takes longer to make and to map than a chunk costs.
constexpr std::size_t most_descriptors = 8;

/// How many tasks fit beside `count` that take `used` of `most`.
std::size_t room_for(std::size_t most, std::size_t used, std::size_t count) noexcept
{
    return std::max<std::size_t>(1, (most - used) * count / used);
}

} // namespace

bool engine::give_from(operation_state& op, ready_worker& worker)
{
    std::shared_ptr<chunk> work = make_chunk(op, worker);
    if (!work)
        return false;
    submit(worker, op, std::move(work));
    return true;
}

std::shared_ptr<chunk> engine::make_chunk(operation_state& op, const ready_worker& worker)
{
    if (op.stopping || op.unless_begun || op.at_bound())
        return nullptr;
    if (op.requeued.empty())
        return op.exhausted ? nullptr
                            : pull_chunk(op, placement_.handout.allowance(worker),
                                         can_.encodes ? backend_.memory(worker.id) : nullptr);

    const std::size_t size = std::min(placement_.handout.allowance(worker), next_size(op, op.requeued_tasks));
    std::shared_ptr<chunk> work = take_requeued(op);
    if (work->tasks->size() > size) {
        requeue(op, work->first + size, work->tasks->split(size), work->attempt, work->unexplained, work->failures);
    }
    return work;
}

std::size_t engine::next_size(operation_state& op, std::optional<std::size_t> remaining) noexcept
{
    const std::size_t bound = op.traits().coroutine ? 0 : op.traits().options.max_concurrency;
    op.sizes.share_among(bound != 0 ? std::min(bound, settings_.nodes) : settings_.nodes);
    return op.sizes.next(remaining);
}

/// @param memory Where large arguments may lie; null: on the heap.
std::shared_ptr<chunk> engine::pull_chunk(operation_state& op, std::size_t most, std::shared_ptr<buffer_memory> memory)
{
    const operation_traits& traits = op.traits();
    std::unique_ptr<payload> tasks;
    try {
        if (!op.prepared) {
            op.prepared = true;
            if (can_.encodes)
                op.function = std::make_shared<const attached_bytes>(op.op->encode_function(can_.by_name));
        }
        tasks = op.op->make_payload();
        if (memory)
            tasks->set_memory(std::move(memory));
    }
    catch (...) {
        op.final_error = std::current_exception();
        op.exhausted = op.stopping = true;
        touch(op);
        return nullptr;
    }

    std::optional<std::size_t> remaining;
    if (traits.total)
        remaining = *traits.total - std::min<std::size_t>(*traits.total, op.next_index);
    const std::size_t size = traits.coroutine ? 1 : next_size(op, remaining);
    if (traits.stream && traits.options.window == 0)
        op.op->set_chunk_size(settings_.nodes, size);
    std::size_t wanted = std::min({size, most, op.demand()});

    std::uint64_t first = op.next_index;
    while (tasks->size() < wanted && !op.exhausted) {
        // The first task tells how many of its kind fit.
        std::size_t step = 1;
        if (const std::size_t n = tasks->size(); n != 0) {
            const std::size_t bytes = tasks->size_in_bytes(), descriptors = tasks->descriptors();
            if (bytes >= can_.chunk_bytes || descriptors >= most_descriptors)
                break;
            step = wanted - n;
            if (bytes != 0)
                step = std::min(step, room_for(can_.chunk_bytes, bytes, n));
            if (descriptors != 0)
                step = std::min(step, room_for(most_descriptors, descriptors, n));
        }
        const pull_result pulled = op.op->pull(*tasks, step, settings_.max_message_size);
        if (pulled.skipped != 0) {
            first = op.next_index += pulled.skipped;
            op.done += pulled.skipped;
            totals_.resumed += pulled.skipped;
            if (traits.stream)
                wanted -= std::min(wanted, pulled.skipped); // its reader has not so much room any more
            touch(op);
        }
        op.next_index += pulled.count;
        if (pulled.broken) {
            op.exhausted = true;
            op.final_error = pulled.broken;
            touch(op);
            if (!traits.stream)
                stop_handing_out(op);
        }
        if (pulled.refused) {
            fail_task(op, op.next_index++, pulled.refused); // and the chunk ends before the gap
            break;
        }
        if (pulled.ended) {
            op.exhausted = true;
            touch(op);
        }
        if ((pulled.count == 0 && pulled.skipped == 0) || pulled.gap)
            break;
    }
    if (tasks->size() == 0 || op.stopping)
        return nullptr;
    if (agenda_.hedging.may_hedge(op)) // not in submit: what came back from a worker was counted
        agenda_.hedging.count(tasks->size());
    auto work = std::make_shared<chunk>();
    work->first = first;
    work->tasks = std::move(tasks);
    return work;
}

void engine::submit(ready_worker& worker, operation_state& op, std::shared_ptr<chunk> work)
{
    const operation_traits& traits = op.traits();
    work->id = ++placement_.last_chunk;
    work->op = op.op;
    work->op_id = op.id;
    work->count = work->tasks->size();
    work->function = op.function;
    work->coroutine = traits.coroutine;
    work->timeout = traits.options.timeout;
    if (agenda_.hedging.may_hedge(op) && work->timeout == duration::zero())
        work->timeout = duration::max(); // then the worker tells when each task begins
    work->deadline = op.deadline;
    work->seed = traits.options.seed;
    work->measured = measures(op);
    if (settings_.chaos && settings_.chaos->touches_tasks())
        work->chaos = settings_.chaos;
    work->reports = traits.counts_progress;

    op.held_tasks += work->count;
    ++op.held_chunks;
    worker.running += work->count;
    worker.given += work->count;
    staff_.elasticity.note_given(worker);
    totals_.bytes_sent += work->tasks->size_in_bytes();
    given_chunk& given = worker.held.emplace_back(worker);
    given.keep = work->count;
    given.owner = &op;
    given.work = std::move(work);
    op.held.push_back(given);
    accounts_.charge(given);
    given.is_part = given.keep > 1 || op.held_chunks > 1;
    placement_.backlog.add(given);
    placement_.idle_search.note_given(given, now_);
    placement_.handout.consider(worker);
    if (traits.options.max_concurrency != 0) {
        given.in_place = true;
        ++op.places;
    }
    staff_.workers.recount(worker);
    if (worker.held.size() == 1 || traits.coroutine)
        chunk_begins(worker.id, given);
    backend_.submit(worker.id, *given.work);
    if (worker.given >= worker.share)
        recycle(worker);
}

void engine::chunk_begins(worker_id worker, given_chunk& held)
{
    // It may have come to it long before the pool learns that it was done with the chunk before.
    const auto known = backend_.times(worker, held.work->id);
    held.since = known ? known->since : now_();
    held.begun = true;
    trace_chunk(trace_event::chunk_begun, worker, held, held.since);
    if (held.owner && !std::exchange(held.owner->begun, true)) {
        staff_.elasticity.note_begin(*held.owner);
        entrance_.admission.leave(*held.owner);
        if (held.owner->tenant->counters)
            held.owner->tenant->counters->add_pending(-1);
        held.opens = held.owner->initiated;
    }
    // Also where nobody waits for it any more. (Threads that were asked to stop can be asked no more.)
    if (held.work->timeout != duration::zero() && !held.doomed && !(held.cancelled && !can_.can_kill))
        agenda_.clock.check_from(held, held.since);
    if (!held.work->copy)
        agenda_.hedging.watch_for(held);
}

void engine::chunk_taken(worker_id worker, chunk_id id, const chunk_taker& taker)
{
    ready_worker* const w = find(worker);
    given_chunk* const held = w ? find(*w, id) : nullptr;
    if (!held || held->over || held->taker.host)
        return;
    held->taker = taker;
    if (!held->begun) // behind one that still waits for a host
        return chunk_begins(worker, *held);
    held->since = now_();
    trace_chunk(trace_event::chunk_begun, worker, *held, held->since);
}

void engine::requeue(operation_state& op, std::uint64_t first, std::unique_ptr<payload> tasks, std::size_t attempt,
                     std::size_t unexplained, std::size_t failures)
{
    if (op.stopping) {
        totals_.cancelled += tasks->size();
        return;
    }
    auto work = std::make_shared<chunk>();
    work->first = first;
    work->tasks = std::move(tasks);
    work->attempt = attempt;
    work->failures = failures;
    op.requeued_tasks += work->tasks->size();
    work->unexplained = unexplained;
    op.requeued.push_front(std::move(work));
    if (op.traits().total == 1u)
        line_up_first(op); // it has had its turn, and asks for no more
    else
        line_up(op);
}

std::shared_ptr<chunk> engine::take_requeued(operation_state& op)
{
    std::shared_ptr<chunk> work = std::move(op.requeued.front());
    op.requeued.pop_front();
    op.requeued_tasks -= work->tasks->size();
    return work;
}

void engine::drop_requeued(operation_state& op) noexcept
{
    totals_.cancelled += std::exchange(op.requeued_tasks, 0);
    op.requeued.clear();
}

} // namespace twat::mp::detail
