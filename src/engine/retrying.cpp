// SPDX-License-Identifier: BSL-1.0
// The engine's part that runs tasks again that threw, as `retries` decides.
#include <utility>

#include <twat/mp/detail/exception/note_attempts.hpp>

#include "engine/engine.hpp"

namespace twat::mp::detail {

// A task threw, and has no outcome yet. True: it is run again, now or later.
bool engine::try_later(operation_state& op, given_chunk& held, std::size_t position, const std::exception_ptr& error)
{
    const retry_policy& policy = op.traits().options.retry;
    if (policy.attempts <= 1)
        return false;
    if (held.twin && policy.on(error) && race_goes_on(held, position, run_end::threw))
        return true;
    const std::size_t attempt = held.work->failures + 1;
    const auto now = now_();
    const auto due = agenda_.retries.next_attempt(op, attempt, now);
    std::unique_ptr<payload> task;
    if (due && policy.on(error))
        task = held.work->tasks->extract(position);
    if (!task) {
        note_attempts(error, attempt);
        return false;
    }
    auto again = std::make_shared<chunk>();
    again->first = held.work->first + position;
    again->tasks = std::move(task);
    again->attempt = held.work->attempt;
    again->unexplained = held.work->unexplained;
    again->failures = attempt;
    ++totals_.retried;
    op.retried = true;
    delayed_chunk& waits = op.delayed.emplace_front(op, std::move(again));
    waits.self = op.delayed.begin();
    if (*due <= now)
        begin_attempt(waits);
    else
        agenda_.retries.add(waits, *due);
    touch(op);
    return true;
}

void engine::begin_attempt(delayed_chunk& waits)
{
    operation_state& op = waits.owner;
    std::shared_ptr<chunk> work = std::move(waits.work);
    op.delayed.erase(waits.self);
    ++op.requeued_tasks;
    op.requeued.push_back(std::move(work));
    line_up(op);
    touch(op);
}

void engine::begin_due_attempts(time_point now)
{
    while (delayed_chunk* const due = agenda_.retries.take_due(now))
        begin_attempt(*due);
}

void engine::drop_delayed(operation_state& op) noexcept
{
    totals_.cancelled += op.delayed.size();
    op.delayed.clear();
}

} // namespace twat::mp::detail
