// SPDX-License-Identifier: BSL-1.0
// The engine's part for tasks that nobody will run to their end: their worker died, or the pool has none any more.
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

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
        if (h.work->copy && hedging::part(h, h.late_at))
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

} // namespace twat::mp::detail
