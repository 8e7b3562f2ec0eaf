// SPDX-License-Identifier: BSL-1.0
// The engine's part that ends what runs: cancellation, timeouts, deadlines.
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/exception/stack_error.hpp>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// A loop that comes so late to the end of a worker's grace has not read what the worker sent meanwhile ...
constexpr duration late_look = std::chrono::milliseconds(5);
// ... and looks again when it has.
constexpr duration one_turn = std::chrono::milliseconds(1);
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

std::exception_ptr engine::timed_out(std::uint64_t index, const stacktrace& stack, const parcel& call)
{
    return make_stack_error(errc::task_timed_out,
                            "task " + std::to_string(index) + " ran longer than its timeout (call_options::timeout)",
                            index, stack, call);
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
    if (ending_)
        return state->ended ? void() : end(*state);
    switch (std::min(strength(type), strength(state->traits().options.cancel_limit))) {
    case 3: return stop(*state, aborted(), stop_force::kill);
    case 2: return stop(*state, aborted(), stop_force::ask);
    case 1: return cancel_total(*state);
    default: return;
    }
}

// Whether a task of it has begun. What was sent is taken back to find out, to be given out again if one has. Nothing: workers have yet to say.
std::optional<bool> engine::has_begun(operation_state& op)
{
    if (op.outcomes() != 0 || op.died || op.retried)
        return true;
    for (auto h = op.held.rbegin(); h != op.held.rend(); ++h)
        take_back(*h->holder, *h, true);
    if (std::any_of(op.held.begin(), op.held.end(), [](const given_chunk& h) { return h.recalling; }))
        return std::nullopt;
    return op.held_tasks != 0;
}

void engine::stop_unless_begun(operation_state& op, std::exception_ptr error, stop_force force)
{
    const auto begun = has_begun(op);
    if (!begun) {
        op.unless_begun = std::move(error); // see `flush`
        leave_queue(op);
    } else if (!*begun) {
        stop(op, std::move(error), force);
    }
}

void engine::cancel_total(operation_state& op) { stop_unless_begun(op, aborted(), stop_force::ask); }

void engine::abandon(operation& op)
{
    operation_state* state = find(op);
    if (!state)
        return;
    // As a request of type terminal; but where tasks may not even be asked to stop, there is still nobody who reads on.
    switch (strength(state->traits().options.cancel_limit)) {
    case 3: return stop(*state, aborted(), stop_force::kill);
    case 2: return stop(*state, aborted(), stop_force::ask);
    default: return stop(*state, aborted(), stop_force::none);
    }
}

void engine::stop_handing_out(operation_state& op)
{
    if (std::exchange(op.stopping, true))
        return;
    drop_requeued(op);
    drop_delayed(op);
    for (given_chunk& h : op.held)
        take_back(*h.holder, h, false);
    touch(op);
}

void engine::stop(operation_state& op, std::exception_ptr error, stop_force force)
{
    if (!op.final_error)
        op.final_error = std::move(error);
    stop_handing_out(op);
    const bool kill = force == stop_force::kill && can_.can_kill;
    for (given_chunk& h : op.held) {
        ready_worker& w = *h.holder;
        if (w.dying)
            continue;
        // Of a chunk that was taken back before it began nothing runs. A worker that does not even put it away does not run at all.
        if (h.outstanding() != 0)
            ask_to_stop(w, h, force);
        else if (!kill || &h != &w.held.front())
            continue;
        if (kill) {
            h.cancelled = h.doomed = true;
            kill_after_grace(h);
        }
    }
    if (can_.can_kill)
        finish(op, op.final_error); // the workers are dealt with behind it
    else
        touch(op);
}

// Asks the running tasks of a chunk to stop. A process that runs a plain one gets nothing else until it is clean.
void engine::ask_to_stop(ready_worker& worker, given_chunk& held, stop_force force)
{
    if (worker.dying)
        return;
    if (force != stop_force::none && !std::exchange(held.cancelled, true))
        backend_.cancel(worker.id, held.work->id);
    if (!can_.can_kill) {
        if (force != stop_force::none)
            check_at(held, time_point::max()); // more cannot be done
        return;
    }
    if (force == stop_force::kill)
        kill_after_grace(held);
    if (!held.work->coroutine)
        for (auto behind = worker.held.rbegin(); &*behind != &held; ++behind)
            take_back(worker, *behind, true);
}

void engine::kill_after_grace(given_chunk& held)
{
    check_at(held, time_point::max());
    held.looked_twice = false;
    kills_.set(held.kill, std::min(held.kill.due(), saturating_add(now_(), settings_.cancel_grace)));
}

// When to look at the time of the task that runs, whether anybody waits for it or not.
void engine::check_at(given_chunk& held, time_point when) noexcept
{
    if (held.owner)
        checks_.set(held.check, when);
    else
        unwanted_checks_.set(held.check, held.outstanding() != 0 ? when : time_point::max());
}

void engine::stop_all(error_maker error)
{
    if (ending_)
        return;
    ending_ = std::move(error);
    std::vector<operation_state*> running;
    for (auto& w : workers_)
        for (given_chunk& h : w->held)
            if (h.owner && !std::exchange(h.owner->ended, true))
                running.push_back(h.owner);
    std::sort(running.begin(), running.end(), [](auto* a, auto* b) { return a->id < b->id; });
    // First for all: a worker whose task ends because it is asked to would begin the next one, of an operation that is not stopped yet.
    for (operation_state* const op : running)
        stop_handing_out(*op);
    for (operation_state* const op : running)
        end(*op);
}

void engine::end(operation_state& op)
{
    op.ended = true;
    op.terminated = !op.final_error;
    outstanding_.erase(outstanding_.iterator_to(op));
    ended_by_force_.push_back(op);
    stop(op, ending_(), stop_force::kill);
}

// In the order in which they came.
void engine::end_some()
{
    for (int n = 0; n < most_ended_at_once && !outstanding_.empty(); ++n)
        end(outstanding_.front());
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
    for (time_point due = kills_.next(); due <= now; due = kills_.next()) {
        given_chunk& late = *kills_.take_due(now);
        overdue(*late.holder, late, due);
    }
    for (watch<given_chunk>* checks : {&checks_, &unwanted_checks_})
        while (given_chunk* const late = checks->take_due(now))
            check_timeout(*late->holder, *late, now);
    while (given_chunk* const late = hedges_.take_due(now))
        consider_hedge(*late, now);
    begin_due_attempts(now);
    if (listeners_.next() <= now)
        look_at_reports();
    elasticity_.shrink_if_idle(workers_, now, [this](ready_worker& idle) { send_away(idle, true); });
    roster_.tick(now, [this](worker_id worker) { return backend_.start_time_used(worker); });
    carry_out();
}

// The deadline of an operation or its queue timeout has passed.
void engine::check_limits(operation_state& op, time_point now)
{
    if (op.final_error)
        return;
    if (op.deadline <= now)
        return stop(op, make_stack_error(errc::deadline_exceeded, {}, std::nullopt, stack_of(op)), stop_force::kill);
    limits_.set(op.due, op.deadline);
    stop_unless_begun(op, make_error(errc::queue_timed_out), stop_force::kill);
}

// A chunk whose tasks were asked to stop is still there.
void engine::overdue(ready_worker& worker, given_chunk& held, time_point due)
{
    const time_point now = now_();
    if (now - due > late_look && !std::exchange(held.looked_twice, true))
        return kills_.set(held.kill, now + one_turn); // what the worker has sent meanwhile is read first
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
        return kills_.set(held.kill, saturating_add(now, settings_.cancel_grace)); // it may have begun nothing of it
    if (!held.expired.empty() && !held.doomed) {
        const std::size_t last = held.expired.back();
        const auto running = backend_.running(worker.id, held.work->id);
        if (held.settled > last || (running && running->position != last))
            // the late task returned, and the worker is at those that it had claimed behind it
            return check_at(held, now);
    }
    for (auto h = worker.held.rbegin(); h != worker.held.rend(); ++h)
        take_back(worker, *h, true);
    worker.dying = true;
    recount(worker);
    for (given_chunk& h : worker.held) {
        kills_.clear(h.kill);
        checks_.clear(h.check);
    }
    if (held.expired.empty()) // whose stack its timeout has asked for
        backend_.ask_for_stack(worker.id, held.work->id);
    roster_.replace(worker.id, now_()); // worker_gone tells what it had finished before
}

void engine::check_timeout(ready_worker& worker, given_chunk& held, time_point now)
{
    if (worker.dying)
        return;
    const duration timeout = held.work->timeout;
    const auto running = backend_.running(worker.id, held.work->id);
    if (!running) // whatever begins later cannot be late before this
        return check_at(held, saturating_add(now, timeout));
    if (const time_point late = saturating_add(running->begun, timeout); late > now)
        return check_at(held, late);
    const std::size_t position = running->position;
    if (position < held.settled || position >= held.keep) // its outcome is on the way
        return check_at(held, saturating_add(now, timeout));
    take_back(worker, held, true);
    if (position >= held.keep || held.is_expired(position)) // the mark of a worker that is wrong, or lies
        return check_at(held, saturating_add(now, timeout));
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
    return std::min({limits_.next(), kills_.next(), checks_.next(), hedges_.next()}) <= now || roster_.judges(now);
}

time_point engine::next_wake() const
{
    const time_point age = may_recycle_another() ? ages_.next() : time_point::max();
    return std::min({next_turn_, idle_search_.next(), limits_.next(), kills_.next(), checks_.next(),
                     unwanted_checks_.next(), age, roster_.next_due(), elasticity_.grows_at(), elasticity_.shrinks_at(),
                     listeners_.next(), retries_.next(), hedges_.next()});
}

} // namespace twat::mp::detail
