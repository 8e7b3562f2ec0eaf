// SPDX-License-Identifier: BSL-1.0
#include "engine/roster.hpp"

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

/// Of a start, as long as none was seen.
constexpr duration assumed_start_time = std::chrono::milliseconds(20);

} // namespace

roster::roster(settings s)
    : settings_(s), policy_(s.restarts, s.nodes, s.seed), turns_(s.starts_at_once, s.nodes), nodes_(s.nodes),
      idle_bound_(s.idle_timeout), start_time_(assumed_start_time)
{
    for (std::size_t node = 0; node != nodes_.size(); ++node)
        policy_.expect(node, false);
}

// ---------------------------------------------------------------- what is wanted

std::size_t roster::kept() const noexcept
{
    if (settings_.launches)
        return std::min(settings_.min_nodes, nodes_.size());
    return settings_.min_nodes == all_nodes ? 1 : settings_.min_nodes; // nobody knows how many will come
}

void roster::start(time_point now)
{
    if (started_)
        return;
    started_ = true;
    fill(kept(), now);
}

void roster::close() noexcept
{
    closed_ = true;
    turns_.clear();
    nodes_.pause_none();
}

bool roster::try_again(time_point now)
{
    const bool under_way = policy_.trying();
    if (!started_ || closed_ || !policy_.try_again(now))
        return false;
    if (under_way)
        return true;
    for (std::size_t node = 0; node != nodes_.size(); ++node)
        if (nodes_[node].current == 0) {
            set_wanted(node, true);
            want(node, now);
            return true;
        }
    // threads that are all still at their initializers: they are waited for once more
    for (auto& [worker, m] : crew_)
        if (m.at() == phase::stuck)
            crew_.start(worker, saturating_add(now, settings_.start_timeout));
    return true;
}

void roster::succeed(worker_id worker, time_point now)
{
    crew::member* const found = crew_.find(worker);
    if (!found || found->node == crew::no_node)
        return;
    const std::size_t node = found->node;
    if (nodes_[node].wanted && nodes_[node].current == worker)
        want(node, now);
}

void roster::leave(worker_id worker, time_point now)
{
    crew::member* const found = crew_.find(worker);
    if (!found)
        return;
    succeed(worker, now);
    end(worker, *found, end_mode::in_order);
}

void roster::replace(worker_id worker, time_point now)
{
    crew::member* const found = crew_.find(worker);
    if (!found)
        return;
    const std::size_t node = found->node;
    const bool was_current = node != crew::no_node && nodes_[node].current == worker;
    end(worker, *found, end_mode::now);
    if (was_current && nodes_[node].wanted)
        want(node, now);
}

/// Starts a worker for the node when it is its turn.
void roster::want(std::size_t node, time_point now)
{
    if (starts_none())
        return;
    nodes_.pause(node, time_point::max());
    turns_.want(node);
    begin_starts(now);
}

void roster::set_wanted(std::size_t node, bool wanted)
{
    if (!nodes_.set_wanted(node, wanted))
        return;
    policy_.expect(node, wanted);
    if (wanted)
        return;
    turns_.withdraw(node);
    nodes_.pause(node, time_point::max());
}

void roster::begin_starts(time_point now)
{
    while (!starts_none()) {
        const auto node = turns_.next();
        if (!node)
            return;
        node_table::node& p = nodes_[*node];
        counts_.restarts += std::exchange(p.had_one, true);
        p.current = crew_.launch(*node, now, saturating_add(now, settings_.start_timeout));
        turns_.begun(p.current, now);
        actions_.push_back({.what = action::launch, .worker = p.current, .node = *node});
    }
}

void roster::end(worker_id worker, crew::member& m, end_mode how)
{
    turns_.over(worker);
    crew_.become(worker, m, phase::ending);
    if (m.node != crew::no_node && nodes_[m.node].current == worker)
        nodes_[m.node].current = 0;
    actions_.push_back({.what = action::end, .worker = worker, .node = m.node, .how = how});
}

// ---------------------------------------------------------------- how many

std::size_t roster::coming() const noexcept
{
    std::size_t n = 0;
    for (const node_table::node& p : nodes_) {
        const crew::member* const current = crew_.find(p.current);
        n += p.wanted && (!current || current->at() != phase::ready);
    }
    return n;
}

/// Wants nodes, the first ones first, until so many are wanted.
void roster::fill(std::size_t count, time_point now)
{
    if (!settings_.launches)
        return;
    for (std::size_t node = 0; node != nodes_.size() && nodes_.wanted() < count; ++node)
        if (!nodes_[node].wanted) {
            set_wanted(node, true);
            want(node, now);
        }
}

void roster::grow(std::size_t count, time_point now)
{
    if (!may_grow() || count == 0)
        return;
    idle_bound_.wanted(now);
    fill(wanted() + std::min(count, nodes_.size() - wanted()), now);
}

void roster::retire(worker_id worker, time_point now)
{
    crew::member* const found = crew_.find(worker);
    if (!found)
        return;
    const std::size_t node = found->node;
    if (node != crew::no_node && nodes_[node].current == worker) {
        set_wanted(node, false);
        idle_bound_.retired(now);
    }
    end(worker, *found, end_mode::in_order);
}

std::vector<worker_id> roster::resize(std::size_t nodes, time_point now)
{
    std::vector<worker_id> leaving;
    nodes_.resize(nodes);
    for (std::size_t node = nodes; node < nodes_.ever(); ++node)
        set_wanted(node, false);
    for (auto& [worker, m] : crew_) {
        if (m.node == crew::no_node || m.node < nodes || m.at() == phase::ending)
            continue;
        if (m.at() == phase::ready)
            leaving.push_back(worker);
        else
            end(worker, m, end_mode::now);
    }
    std::sort(leaving.begin(), leaving.end());
    turns_.resize(nodes);
    const std::size_t known = policy_.resize(nodes);
    for (std::size_t node = known; node < nodes; ++node)
        policy_.expect(node, false);
    if (started_ && !closed_)
        fill(kept(), now);
    begin_starts(now);
    return leaving;
}

} // namespace twat::mp::detail
