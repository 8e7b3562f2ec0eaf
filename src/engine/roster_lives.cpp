// SPDX-License-Identifier: BSL-1.0
// The roster's part that learns what becomes of workers, and looks at the time of those that start.
#include "engine/roster.hpp"

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

/// A loop that comes later than this to a start that is due was away, and gives it its time once more.
constexpr duration late_loop = std::chrono::milliseconds(500);
/// The least that is believed of a start.
constexpr duration least_start_time = std::chrono::milliseconds(1);
/// Starts of a node that may fail in a row before those who wait for it learn of it.
constexpr std::size_t failures_to_report = 3;

} // namespace

void roster::note_start(duration took) noexcept
{
    start_time_ = std::max(least_start_time, start_time_ + (took - start_time_) / 4);
}

void roster::started(worker_id worker, time_point now)
{
    if (crew::member* const found = crew_.find(worker); found && found->at() == phase::starting)
        // it could not answer before, however long that took
        found->due = saturating_add(now, settings_.start_timeout);
}

/// A worker came by itself. Returns the node that it has from now on.
std::size_t roster::join(worker_id worker)
{
    if (!settings_.launches)
        return crew::no_node;
    for (std::size_t node = 0; node != nodes_.size(); ++node)
        if (nodes_[node].current == 0 && !turns_.wants(node)) {
            started_ = true;
            set_wanted(node, true);
            nodes_[node].current = worker;
            nodes_[node].had_one = true;
            return node;
        }
    return crew::no_node;
}

roster::arrival roster::ready(worker_id worker, time_point now)
{
    crew::member* const known = crew_.find(worker);
    crew::member& m = known ? *known : crew_.join(worker, join(worker), now);
    arrival result;
    result.takes_work = m.at() != phase::ending;
    if (!result.takes_work || m.at() == phase::ready)
        return result;
    if (m.launched < now)
        note_start(now - m.launched);
    turns_.over(worker);
    crew_.become(worker, m, phase::ready);
    if (m.node == crew::no_node)
        return result;
    nodes_.pause(m.node, time_point::max());
    nodes_[m.node].failure = nullptr;
    result.mends = policy_.on_ready(m.node, now);
    if (result.mends)
        for (std::size_t node = 0; node != nodes_.size(); ++node)
            if (nodes_[node].wanted && nodes_[node].current == 0)
                want(node, now);
    begin_starts(now);
    for (const auto& [id, other] : crew_)
        if (other.node == m.node && id != worker && other.at() == phase::ready)
            result.predecessors.push_back(id);
    return result;
}

void roster::gone(worker_id worker, const worker_loss& loss, time_point now)
{
    crew::member* const found = crew_.find(worker);
    if (!found)
        return;
    const std::size_t node = found->node;
    const bool was_ready = found->at() == phase::ready;
    const bool was_current = node != crew::no_node && nodes_[node].current == worker;
    turns_.over(worker);
    counts_.died += !loss.expected;
    if (loss.stuck) {
        crew_.become(worker, *found, phase::stuck);
    } else {
        crew_.remove(worker);
        if (was_current)
            nodes_[node].current = 0;
    }
    if (node == crew::no_node)
        return;
    if (loss.expected || loss.in_task) { // that task's fault, however often it happens
        if (was_current && nodes_[node].wanted && !policy_.broken())
            want(node, now);
    } else if (!closed_) {
        lose(node, was_ready, was_current, loss, now);
    }
    begin_starts(now);
}

void roster::lose(std::size_t node, bool was_ready, bool was_current, const worker_loss& loss, time_point now)
{
    lost_worker lost;
    lost.node = node;
    lost.was_ready = was_ready;
    lost.others_ready = crew_.ready() != 0;
    lost.initializer_threw = loss.initializer_threw;
    lost.no_room = loss.no_room;
    lost.stuck = loss.stuck;
    lost.fails_again = loss.fails_again;
    lost.for_good = loss.for_good;
    lost.nobody_left = loss.nobody_left;
    const bool was_broken = policy_.broken() && !policy_.trying();
    const auto when = policy_.on_loss(lost, now);
    if (!was_ready)
        nodes_[node].failure = loss.cause;
    if (!when && !was_broken)
        return break_down(loss);
    if (!when || !was_current || !nodes_[node].wanted || loss.stuck || turns_.wants(node))
        return;
    if (*when <= now)
        want(node, now);
    else
        nodes_.pause(node, *when);
}

void roster::break_down(const worker_loss& loss)
{
    turns_.clear();
    nodes_.pause_none();
    breakage_ = {loss.cause, !policy_.mends()};
    const std::string& why = policy_.why_broken();
    const bool tells_all = loss.cause_tells_all && !policy_.ever_ready();
    if (!why.empty() && policy_.mends() && !tells_all)
        breakage_.cause = [cause = loss.cause, why] { return make_nested(errc::pool_broken, why, cause()); };
    actions_.push_back({.what = action::broken});
    std::vector<worker_id> ending;
    for (const auto& [worker, m] : crew_)
        if (m.at() == phase::ready || (settings_.can_kill && m.at() != phase::ending))
            ending.push_back(worker);
    std::sort(ending.begin(), ending.end());
    for (const worker_id worker : ending)
        end(worker, *crew_.find(worker), end_mode::now);
}

std::function<std::exception_ptr()> roster::why_incomplete() const
{
    if (policy_.broken() || crew_.ready() == 0)
        return {};
    for (std::size_t node = 0; node != nodes_.size(); ++node) {
        const node_table::node& p = nodes_[node];
        if (!p.wanted || !p.failure)
            continue;
        const crew::member* const current = crew_.find(p.current);
        if (policy_.failed_starts(node) >= failures_to_report || (current && current->at() == phase::stuck))
            return p.failure;
    }
    return {};
}

// ---------------------------------------------------------------- time

time_point roster::next_due() const noexcept
{
    if (closed_)
        return time_point::max();
    const time_point next = std::min(crew_.next_due(), nodes_.next_start());
    return turns_.waiting() ? std::min(next, turns_.next_look()) : next;
}

void roster::look_at_starts(time_point now)
{
    for (const worker_id worker : std::vector(crew_.starting())) {
        crew::member& m = *crew_.find(worker);
        if (m.due > now)
            continue;
        if (now - m.due > late_loop && !std::exchange(m.forgiven, true)) {
            m.due = saturating_add(now, settings_.start_timeout); // both may have been stopped
            continue;
        }
        turns_.over(worker);
        crew_.stop_waiting(worker); // what has become of it follows
        actions_.push_back({.what = action::end, .worker = worker, .node = m.node, .how = end_mode::late});
    }
    for (const std::size_t node : nodes_.due(now))
        want(node, now);
}

} // namespace twat::mp::detail
