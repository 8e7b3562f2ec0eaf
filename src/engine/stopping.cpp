// SPDX-License-Identifier: BSL-1.0
// The engine's part that ends what runs: cancellation, timeouts, deadlines.
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/error.hpp>

#include <twat/mp/detail/exception/make_error.hpp>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// Operations whose time is over that are ended in one go: about 100 us, for which the user's loop stands still.
constexpr int most_ended_at_once = 64;

constexpr auto bits(asio::cancellation_type type) { return static_cast<unsigned>(type); }

// The strongest of the asked-for types, but none that is stronger than the limit. 0: none.
unsigned strength(asio::cancellation_type type)
{
    if (bits(type) & bits(asio::cancellation_type::terminal))
        return 3;
    if (bits(type) & bits(asio::cancellation_type::partial))
        return 2;
    return bits(type) & bits(asio::cancellation_type::total) ? 1 : 0;
}

} // namespace

std::exception_ptr engine::timed_out(std::uint64_t index)
{
    return make_error(errc::task_timed_out,
                      "task " + std::to_string(index) + " ran longer than its timeout (call_options::timeout)", index);
}

namespace {

std::exception_ptr aborted()
{
    return std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
}

} // namespace

void engine::cancel(operation& op, asio::cancellation_type type)
{
    operation_state* state = find(op);
    if (!state)
        return;
    switch (std::min(strength(type), strength(state->traits().options.cancel_limit))) {
    case 3: return stop(*state, aborted(), true);
    case 2: return stop(*state, aborted(), false);
    case 1: return cancel_total(*state);
    default: return;
    }
}

// Whether a task of it has begun. What was sent is taken back to find out, to be given out again if one has.
bool engine::has_begun(operation_state& op)
{
    if (op.outcomes() != 0 || op.died)
        return true;
    for (auto h = op.held.rbegin(); h != op.held.rend(); ++h)
        take_back(*h->holder, *h, true);
    return op.held_tasks != 0;
}

void engine::cancel_total(operation_state& op)
{
    if (!has_begun(op))
        stop(op, aborted(), false);
}

void engine::abandon(operation& op)
{
    operation_state* state = find(op);
    if (!state)
        return;
    // Tasks on threads use what is the caller's, who may wait for their end: they are asked to stop, as nobody wants their results.
    if (!backend_.can_kill())
        return stop(*state, aborted(), false);
    stop_handing_out(*state);
    finish(*state, nullptr); // what still runs has no owner now
}

void engine::stop_handing_out(operation_state& op)
{
    if (std::exchange(op.stopping, true))
        return;
    drop_requeued(op);
    for (given_chunk& h : op.held)
        take_back(*h.holder, h, false);
    touch(op);
}

void engine::stop(operation_state& op, std::exception_ptr error, bool kill)
{
    if (!op.final_error)
        op.final_error = std::move(error);
    stop_handing_out(op);
    for (given_chunk& h : op.held) {
        ready_worker& w = *h.holder;
        if (h.outstanding() != 0) {
            ask_to_stop(w, h, kill);
        } else if (kill && backend_.can_kill() && !w.dying && &h == &w.held.front()) {
            // All was taken back before it began; a worker that does not even put the chunk away does not run at all.
            h.cancelled = true;
            kills_.set(h.kill, saturating_add(now_(), settings_.cancel_grace));
        }
    }
    if (backend_.can_kill())
        finish(op, op.final_error); // the workers are dealt with behind it
    else
        touch(op);
}

// Asks the running tasks of a chunk to stop. A process that runs a plain one gets nothing else until it is clean.
void engine::ask_to_stop(ready_worker& worker, given_chunk& held, bool kill)
{
    if (worker.dying)
        return;
    if (!std::exchange(held.cancelled, true))
        backend_.cancel(worker.id, held.work->id);
    checks_.clear(held.check);
    if (!backend_.can_kill())
        return;
    if (kill)
        kills_.set(held.kill, std::min(held.kill.due(), saturating_add(now_(), settings_.cancel_grace)));
    if (!held.work->coroutine)
        for (auto behind = worker.held.rbegin(); &*behind != &held; ++behind)
            take_back(worker, *behind, true);
}

void engine::stop_all(const error_maker& error)
{
    // In the order in which they came.
    // First for all: a worker whose task ends because it is asked to would begin the next one, of an operation that is not stopped yet.
    for (operation_state& op : outstanding_)
        stop_handing_out(op);
    for (auto next = outstanding_.begin(); next != outstanding_.end();)
        stop(*next++, error(), true); // which may end this one, but no other
}

void engine::unbind_streams()
{
    if (std::exchange(unbound_, true))
        return; // and no other has come since
    for (operation_state& op : outstanding_)
        if (op.traits().stream && op.traits().total) {
            op.unbounded = true;
            line_up(op);
            touch(op);
        }
}

void engine::end_streams(const error_maker& error)
{
    for (operation_state& op : outstanding_)
        if (op.traits().stream) {
            op.stopping = true;
            op.final_error = error();
            touch(op);
        }
}

// ---------------------------------------------------------------- time

void engine::tick()
{
    const time_point now = now_();
    // Thousands of calls may be due at one moment. `next_wake` is not later for those that are left.
    for (int n = 0; n < most_ended_at_once; ++n)
        if (operation_state* const late = limits_.take_due(now))
            check_limits(*late, now);
    while (ages_.next() <= now && may_recycle_another())
        recycle(*ages_.take_due(now));
    while (given_chunk* const late = kills_.take_due(now))
        overdue(*late->holder, *late);
    while (given_chunk* const late = checks_.take_due(now))
        check_timeout(*late->holder, *late, now);
}

// The deadline of an operation or its queue timeout has passed.
void engine::check_limits(operation_state& op, time_point now)
{
    if (op.final_error)
        return;
    if (op.deadline <= now)
        return stop(op, make_error(errc::deadline_exceeded), true);
    limits_.set(op.due, op.deadline);
    if (!has_begun(op))
        stop(op, make_error(errc::queue_timed_out), true);
}

// A chunk whose tasks were asked to stop is still there.
void engine::overdue(ready_worker& worker, given_chunk& held)
{
    if (held.work->coroutine) {
        const std::shared_ptr<chunk> work = held.work;
        backend_.abandon(worker.id, work->id);
        chunk_cut_off(worker.id, held, held.keep);
        if (held.owner)
            disown(held);
        worker.running -= held.outstanding();
        return forget_chunk(worker, held);
    }
    if (!held.expired.empty()) {
        const std::size_t last = held.expired.back();
        const auto running = backend_.running(worker.id, held.work->id);
        if (held.settled > last || (running && running->position != last)) {
            // The late task returned, and the worker is at those that it had claimed behind it.
            checks_.set(held.check, saturating_add(now_(), held.work->timeout));
            return;
        }
    }
    for (auto h = worker.held.rbegin(); h != worker.held.rend(); ++h)
        take_back(worker, *h, true);
    worker.dying = true;
    recount(worker);
    for (given_chunk& h : worker.held) {
        kills_.clear(h.kill);
        checks_.clear(h.check);
    }
    backend_.replace(worker.id); // worker_gone tells what it had finished before
}

void engine::check_timeout(ready_worker& worker, given_chunk& held, time_point now)
{
    const duration timeout = held.work->timeout;
    const auto running = backend_.running(worker.id, held.work->id);
    if (!running) { // whatever begins later cannot be late before this
        checks_.set(held.check, saturating_add(now, timeout));
        return;
    }
    if (const time_point due = saturating_add(running->begun, timeout); due > now) {
        checks_.set(held.check, due);
        return;
    }
    const std::size_t position = running->position;
    if (position < held.settled || position >= held.keep || !held.owner) {
        checks_.set(held.check, saturating_add(now, timeout)); // its outcome is on the way
        return;
    }
    take_back(worker, held, true);
    if (position >= held.keep || held.is_expired(position)) { // the mark of a worker that is wrong, or lies
        checks_.set(held.check, saturating_add(now, timeout));
        return;
    }
    if (!backend_.can_kill()) {
        // A thread cannot be killed: the task has its outcome when it returns.
        held.timed_out = position;
        ask_to_stop(worker, held, false);
        return;
    }
    held.expired.push_back(position);
    ask_to_stop(worker, held, true);
    operation_state& op = *held.owner;
    --op.held_tasks;
    const std::uint64_t index = held.work->first + position;
    fail_task(op, index, timed_out(index), &held, trace_outcome::timed_out);
}

time_point engine::next_wake() const
{
    const time_point age = may_recycle_another() ? ages_.next() : time_point::max();
    return std::min({look_again_, limits_.next(), kills_.next(), checks_.next(), age});
}

} // namespace twat::mp::detail
