// SPDX-License-Identifier: BSL-1.0
// The engine's part that ends what runs: cancellation, timeouts, deadlines.
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/error.hpp>

#include <twat/mp/detail/exception/make_error.hpp>

namespace twat::mp::detail {
namespace {

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

// Only if no task has begun. What was sent is taken back to find out, and given out again if one has.
void engine::cancel_total(operation_state& op)
{
    if (op.outcomes() != 0)
        return;
    for (auto& w : workers_)
        for (auto h = w->held.rbegin(); h != w->held.rend(); ++h)
            if (h->owner == &op)
                take_back(*w, *h, true);
    if (op.held_tasks == 0)
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
    for (auto& c : op.requeued)
        totals_.cancelled += c->tasks->size();
    op.requeued.clear();
    for (auto& w : workers_)
        for (given_chunk& h : w->held)
            if (h.owner == &op)
                take_back(*w, h, false);
    touch(op);
}

void engine::stop(operation_state& op, std::exception_ptr error, bool kill)
{
    if (!op.final_error)
        op.final_error = std::move(error);
    stop_handing_out(op);
    for (auto& w : workers_)
        for (given_chunk& h : w->held)
            if (h.owner == &op && h.outstanding() != 0)
                ask_to_stop(*w, h, kill);
            else if (h.owner == &op && kill && backend_.can_kill() && !w->dying && &h == &w->held.front()) {
                // All was taken back before it began; a worker that does not even put the chunk away does not run at all.
                h.cancelled = true;
                wake_at(h.kill_at = now_() + settings_.cancel_grace);
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
    held.check_at = time_point::max();
    if (!backend_.can_kill())
        return;
    if (kill)
        wake_at(held.kill_at = std::min(held.kill_at, now_() + settings_.cancel_grace));
    if (!held.work->coroutine)
        for (auto behind = worker.held.rbegin(); &*behind != &held; ++behind)
            take_back(worker, *behind, true);
}

void engine::stop_all(const error_maker& error)
{
    std::vector<operation_state*> all;
    for (auto& [_, op] : operations_)
        all.push_back(op.get());
    // In the order in which they came.
    std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->id < b->id; });
    // First for all: a worker whose task ends because it is asked to would begin the next one, of an operation that is not stopped yet.
    for (operation_state* op : all)
        stop_handing_out(*op);
    for (operation_state* op : all)
        stop(*op, error(), true);
}

void engine::unbind_streams()
{
    for (operation_state* op : streams_)
        if (op->traits().total && !std::exchange(op->unbounded, true)) {
            line_up(*op);
            touch(*op);
        }
}

void engine::end_streams(const error_maker& error)
{
    for (std::size_t i = streams_.size(); i-- > 0;) {
        operation_state& op = *streams_[i];
        op.stopping = true;
        op.final_error = error();
        touch(op);
    }
}

// ---------------------------------------------------------------- time

void engine::tick()
{
    const time_point now = now_();
    for (std::size_t i = with_deadline_.size(); i-- > 0;)
        if (i < with_deadline_.size() && with_deadline_[i]->deadline <= now) {
            operation_state& op = *with_deadline_[i];
            if (op.final_error)
                op.deadline = time_point::max(), with_deadline_.erase(with_deadline_.begin() + static_cast<std::ptrdiff_t>(i));
            else
                stop(op, make_error(errc::deadline_exceeded), true);
        }
    next_check_ = time_point::max(); // set again by all that is waited for
    // Indices: what is called here may end a worker or a chunk.
    for (std::size_t i = workers_.size(); i-- > 0;) {
        ready_worker& w = *workers_[i];
        if (w.leaves_at <= now)
            recycle_if_there_is_room(w);
        for (std::size_t k = w.held.size(); k-- > 0 && !w.dying;) {
            given_chunk& h = w.held[k];
            if (h.kill_at <= now && overdue(w, h))
                continue;
            if (h.check_at <= now)
                check_timeout(w, h, now);
            wake_at(std::min(h.kill_at, h.check_at));
        }
    }
}

// A chunk whose tasks were asked to stop is still there. True: the chunk is gone.
bool engine::overdue(ready_worker& worker, given_chunk& held)
{
    if (held.work->coroutine) {
        const std::shared_ptr<chunk> work = held.work;
        backend_.abandon(worker.id, work->id);
        chunk_cut_off(worker.id, held, held.keep);
        if (held.owner)
            --held.owner->held_chunks;
        running_ -= held.outstanding();
        forget_chunk(worker, held);
        return true;
    }
    if (!held.expired.empty()) {
        const std::size_t last = held.expired.back();
        const auto running = backend_.running(worker.id, held.work->id);
        if (held.settled > last || (running && running->position != last)) {
            held.kill_at = time_point::max(); // the late task returned, and the worker is at those that it had claimed behind it
            held.check_at = now_() + held.work->timeout;
            return false;
        }
    }
    for (auto h = worker.held.rbegin(); h != worker.held.rend(); ++h)
        take_back(worker, *h, true);
    worker.dying = true;
    for (given_chunk& h : worker.held)
        h.kill_at = h.check_at = time_point::max();
    backend_.replace(worker.id); // worker_gone tells what it had finished before
    return false;
}

void engine::check_timeout(ready_worker& worker, given_chunk& held, time_point now)
{
    const duration timeout = held.work->timeout;
    const auto running = backend_.running(worker.id, held.work->id);
    if (!running) { // whatever begins later cannot be late before this
        held.check_at = now + timeout;
        return;
    }
    if (running->begun + timeout > now) {
        held.check_at = running->begun + timeout;
        return;
    }
    const std::size_t position = running->position;
    if (position < held.settled || position >= held.keep || !held.owner) {
        held.check_at = now + timeout; // its outcome is on the way
        return;
    }
    take_back(worker, held, true);
    if (position >= held.keep || held.is_expired(position)) { // the mark of a worker that is wrong, or lies
        held.check_at = now + timeout;
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
    time_point next = look_again_;
    for (const operation_state* op : with_deadline_)
        next = std::min(next, op->deadline);
    if (settings_.max_age_per_child != duration::zero() && may_recycle_another())
        for (const auto& w : workers_)
            if (!w->recycling)
                next = std::min(next, w->leaves_at);
    if (next_check_ == time_point::max())
        return next; // as always, unless there are timeouts
    next_check_ = time_point::max();
    for (const auto& w : workers_)
        for (const given_chunk& h : w->held)
            next_check_ = std::min({next_check_, h.kill_at, h.check_at});
    return std::min(next, next_check_);
}

} // namespace twat::mp::detail
