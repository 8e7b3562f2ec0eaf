// SPDX-License-Identifier: BSL-1.0
// The engine's part that ends what runs: cancellation, by whoever initiated an operation or by the pool.
#include "engine/engine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>

namespace twat::mp::detail {
namespace {

// Operations that are ended in one go: about 100 us, for which the user's loop stands still.
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
    if (entrance_.gate.ends_all())
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
            agenda_.clock.kill_after_grace(h, now_());
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
            agenda_.clock.check_at(held, time_point::max()); // more cannot be done
        return;
    }
    if (force == stop_force::kill)
        agenda_.clock.kill_after_grace(held, now_());
    if (!held.work->coroutine)
        for (auto behind = worker.held.rbegin(); &*behind != &held; ++behind)
            take_back(worker, *behind, true);
}

void engine::stop_all(error_maker error)
{
    if (!entrance_.gate.end_all(std::move(error)))
        return;
    std::vector<operation_state*> running;
    for (auto& w : staff_.workers)
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
    operations_.end_by_force(op);
    stop(op, entrance_.gate.why_ended(), stop_force::kill);
}

// In the order in which they came.
void engine::end_some()
{
    for (int n = 0; n < most_ended_at_once && !operations_.all_end_by_force(); ++n)
        end(*operations_.first());
}

void engine::unbind_streams()
{
    if (!operations_.unbind_streams())
        return; // and no other has come since
    for (operation_state& op : operations_)
        if (op.traits().stream && op.traits().total) {
            op.unbounded = true;
            line_up(op);
            touch(op);
        }
}

void engine::end_streams(const error_maker& error)
{
    for (operation_state& op : operations_)
        if (op.traits().stream) {
            op.stopping = true;
            op.final_error = error();
            touch(op);
        }
}

} // namespace twat::mp::detail
