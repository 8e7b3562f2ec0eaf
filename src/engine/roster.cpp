// SPDX-License-Identifier: BSL-1.0
#include "engine/roster.hpp"

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t no_node = std::numeric_limits<std::size_t>::max();
/// A loop that comes later than this to a start that is due was away, and gives it its time once more.
constexpr duration late_loop = std::chrono::milliseconds(500);
/// Of a start, as long as none was seen; and the least that is believed.
constexpr duration assumed_start_time = std::chrono::milliseconds(20);
constexpr duration least_start_time = std::chrono::milliseconds(1);
/// A node that is wanted again within this was given up too early.
constexpr duration longest_idle_limit = std::chrono::seconds(10);
/// Starts of a node that may fail in a row before those who wait for it learn of it.
constexpr std::size_t failures_to_report = 3;

} // namespace

roster::roster(settings s)
    : settings_(s), nodes_(s.nodes), policy_(s.restarts, s.nodes, s.seed), turns_(s.starts_at_once, s.nodes),
      places_(s.nodes), start_time_(assumed_start_time), idle_limit_(s.idle_timeout)
{
    for (std::size_t node = 0; node != nodes_; ++node)
        policy_.expect(node, false);
}

// ---------------------------------------------------------------- what is wanted

std::size_t roster::kept() const noexcept
{
    if (settings_.launches)
        return std::min(settings_.min_nodes, nodes_);
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
    for (const std::size_t node : std::exchange(paused_, {}))
        places_[node].start_at = time_point::max();
}

bool roster::try_again(time_point now)
{
    const bool under_way = policy_.trying();
    if (!started_ || closed_ || !policy_.try_again(now))
        return false;
    if (under_way)
        return true;
    for (std::size_t node = 0; node != nodes_; ++node)
        if (places_[node].current == 0) {
            set_wanted(node, true);
            want(node, now);
            return true;
        }
    // threads that are all still at their initializers: they are waited for once more
    for (auto& [worker, m] : members_)
        if (m.at == phase::stuck) {
            m.at = phase::starting;
            m.due = saturating_add(now, settings_.start_timeout);
            starting_.push_back(worker);
        }
    return true;
}

void roster::succeed(worker_id worker, time_point now)
{
    const auto found = members_.find(worker);
    if (found == members_.end() || found->second.node == no_node)
        return;
    const std::size_t node = found->second.node;
    if (places_[node].wanted && places_[node].current == worker)
        want(node, now);
}

void roster::leave(worker_id worker, time_point now)
{
    const auto found = members_.find(worker);
    if (found == members_.end())
        return;
    succeed(worker, now);
    end(worker, found->second, end_mode::in_order);
}

void roster::replace(worker_id worker, time_point now)
{
    const auto found = members_.find(worker);
    if (found == members_.end())
        return;
    const std::size_t node = found->second.node;
    const bool was_current = node != no_node && places_[node].current == worker;
    end(worker, found->second, end_mode::now);
    if (was_current && places_[node].wanted)
        want(node, now);
}

/// Starts a worker for the node when it is its turn.
void roster::want(std::size_t node, time_point now)
{
    if (starts_none())
        return;
    pause(node, time_point::max());
    turns_.want(node);
    begin_starts(now);
}

void roster::set_wanted(std::size_t node, bool wanted)
{
    place& p = places_[node];
    if (p.wanted == wanted)
        return;
    p.wanted = wanted;
    p.had_one = false;
    p.failure = nullptr;
    policy_.expect(node, wanted);
    if (wanted) {
        ++wanted_;
        return;
    }
    --wanted_;
    turns_.withdraw(node);
    pause(node, time_point::max());
}

void roster::pause(std::size_t node, time_point until)
{
    if (places_[node].start_at != time_point::max())
        std::erase(paused_, node);
    places_[node].start_at = until;
    if (until != time_point::max())
        paused_.push_back(node);
}

void roster::begin_starts(time_point now)
{
    while (!starts_none()) {
        const auto node = turns_.next();
        if (!node)
            return;
        place& p = places_[*node];
        restarts_ += std::exchange(p.had_one, true);
        p.current = ++last_id_;
        members_[p.current] = {.node = *node, .launched = now, .due = saturating_add(now, settings_.start_timeout)};
        starting_.push_back(p.current);
        turns_.begun(p.current, now);
        actions_.push_back({.what = action::launch, .worker = p.current, .node = *node});
    }
}

void roster::end(worker_id worker, member& m, end_mode how)
{
    no_longer_starts(worker);
    ready_ -= m.at == phase::ready;
    m.at = phase::ending;
    if (m.node != no_node && places_[m.node].current == worker)
        places_[m.node].current = 0;
    actions_.push_back({.what = action::end, .worker = worker, .node = m.node, .how = how});
}

void roster::no_longer_starts(worker_id worker)
{
    turns_.over(worker);
    std::erase(starting_, worker);
}

// ---------------------------------------------------------------- how many

std::size_t roster::coming() const noexcept
{
    std::size_t n = 0;
    for (const place& p : places_) {
        const auto current = members_.find(p.current);
        n += p.wanted && (current == members_.end() || current->second.at != phase::ready);
    }
    return n;
}

/// Wants nodes, the first ones first, until so many are wanted.
void roster::fill(std::size_t count, time_point now)
{
    if (!settings_.launches)
        return;
    for (std::size_t node = 0; node != nodes_ && wanted_ < count; ++node)
        if (!places_[node].wanted) {
            set_wanted(node, true);
            want(node, now);
        }
}

void roster::grow(std::size_t count, time_point now)
{
    if (!may_grow() || count == 0)
        return;
    // Work that comes and goes shall find its workers: what was ended for nothing shows that the time was too short.
    if (retired_at_ && now - *retired_at_ < longest_idle_limit)
        idle_limit_ =
            std::max(settings_.idle_timeout, std::min(saturating_add(idle_limit_, idle_limit_), longest_idle_limit));
    else if (retired_at_)
        idle_limit_ = settings_.idle_timeout;
    retired_at_.reset();
    fill(wanted_ + std::min(count, nodes_ - wanted_), now);
}

void roster::retire(worker_id worker, time_point now)
{
    const auto found = members_.find(worker);
    if (found == members_.end())
        return;
    const std::size_t node = found->second.node;
    if (node != no_node && places_[node].current == worker) {
        set_wanted(node, false);
        retired_at_ = now;
    }
    end(worker, found->second, end_mode::in_order);
}

std::vector<worker_id> roster::resize(std::size_t nodes, time_point now)
{
    std::vector<worker_id> leaving;
    nodes_ = nodes;
    places_.resize(std::max(places_.size(), nodes));
    for (std::size_t node = nodes; node < places_.size(); ++node)
        set_wanted(node, false);
    for (auto& [worker, m] : members_) {
        if (m.node == no_node || m.node < nodes || m.at == phase::ending)
            continue;
        if (m.at == phase::ready)
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

void roster::note_start(duration took) noexcept
{
    start_time_ = std::max(least_start_time, start_time_ + (took - start_time_) / 4);
}

// ---------------------------------------------------------------- what workers do

void roster::started(worker_id worker, time_point now)
{
    if (const auto found = members_.find(worker); found != members_.end() && found->second.at == phase::starting)
        // it could not answer before, however long that took
        found->second.due = saturating_add(now, settings_.start_timeout);
}

/// A worker came by itself. Returns the node that it has from now on.
std::size_t roster::join(worker_id worker)
{
    last_id_ = std::max(last_id_, worker);
    if (!settings_.launches)
        return no_node;
    for (std::size_t node = 0; node != nodes_; ++node)
        if (places_[node].current == 0 && !turns_.wants(node)) {
            started_ = true;
            set_wanted(node, true);
            places_[node].current = worker;
            places_[node].had_one = true;
            return node;
        }
    return no_node;
}

roster::arrival roster::ready(worker_id worker, time_point now)
{
    auto found = members_.find(worker);
    if (found == members_.end())
        found = members_.emplace(worker, member{.node = join(worker), .launched = now}).first;
    member& m = found->second;
    arrival result;
    result.takes_work = m.at != phase::ending;
    if (!result.takes_work || m.at == phase::ready)
        return result;
    if (m.launched < now)
        note_start(now - m.launched);
    no_longer_starts(worker);
    m.at = phase::ready;
    ++ready_;
    if (m.node == no_node)
        return result;
    pause(m.node, time_point::max());
    places_[m.node].failure = nullptr;
    result.mends = policy_.on_ready(m.node, now);
    if (result.mends)
        for (std::size_t node = 0; node != nodes_; ++node)
            if (places_[node].wanted && places_[node].current == 0)
                want(node, now);
    begin_starts(now);
    for (const auto& [id, other] : members_)
        if (other.node == m.node && id != worker && other.at == phase::ready)
            result.predecessors.push_back(id);
    return result;
}

void roster::gone(worker_id worker, const worker_loss& loss, time_point now)
{
    const auto found = members_.find(worker);
    if (found == members_.end())
        return;
    const std::size_t node = found->second.node;
    const bool was_ready = found->second.at == phase::ready;
    const bool was_current = node != no_node && places_[node].current == worker;
    no_longer_starts(worker);
    died_ += !loss.expected;
    if (loss.stuck) {
        found->second.at = phase::stuck;
    } else {
        ready_ -= was_ready;
        members_.erase(found);
        if (was_current)
            places_[node].current = 0;
    }
    if (node == no_node)
        return;
    if (loss.expected || loss.in_task) { // that task's fault, however often it happens
        if (was_current && places_[node].wanted && !policy_.broken())
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
    lost.others_ready = ready_ != 0;
    lost.initializer_threw = loss.initializer_threw;
    lost.no_room = loss.no_room;
    lost.stuck = loss.stuck;
    lost.fails_again = loss.fails_again;
    lost.for_good = loss.for_good;
    lost.nobody_left = loss.nobody_left;
    const bool was_broken = policy_.broken() && !policy_.trying();
    const auto when = policy_.on_loss(lost, now);
    if (!was_ready)
        places_[node].failure = loss.cause;
    if (!when && !was_broken)
        return break_down(loss);
    if (!when || !was_current || !places_[node].wanted || loss.stuck || turns_.wants(node))
        return;
    if (*when <= now)
        want(node, now);
    else
        pause(node, *when);
}

void roster::break_down(const worker_loss& loss)
{
    turns_.clear();
    for (const std::size_t node : std::exchange(paused_, {}))
        places_[node].start_at = time_point::max();
    breakage_ = {loss.cause, !policy_.mends()};
    const std::string& why = policy_.why_broken();
    const bool tells_all = loss.cause_tells_all && !policy_.ever_ready();
    if (!why.empty() && policy_.mends() && !tells_all)
        breakage_.cause = [cause = loss.cause, why] { return make_nested(errc::pool_broken, why, cause()); };
    actions_.push_back({.what = action::broken});
    std::vector<worker_id> ending;
    for (const auto& [worker, m] : members_)
        if (m.at == phase::ready || (settings_.can_kill && m.at != phase::ending))
            ending.push_back(worker);
    std::sort(ending.begin(), ending.end());
    for (const worker_id worker : ending)
        end(worker, members_.at(worker), end_mode::now);
}

std::function<std::exception_ptr()> roster::why_incomplete() const
{
    if (policy_.broken() || ready_ == 0)
        return {};
    for (std::size_t node = 0; node != nodes_; ++node) {
        const place& p = places_[node];
        if (!p.wanted || !p.failure)
            continue;
        const auto current = members_.find(p.current);
        if (policy_.failed_starts(node) >= failures_to_report ||
            (current != members_.end() && current->second.at == phase::stuck))
            return p.failure;
    }
    return {};
}

// ---------------------------------------------------------------- time

time_point roster::next_due() const noexcept
{
    time_point next = time_point::max();
    if (closed_)
        return next;
    for (const worker_id worker : starting_)
        next = std::min(next, members_.at(worker).due);
    for (const std::size_t node : paused_)
        next = std::min(next, places_[node].start_at);
    return turns_.waiting() ? std::min(next, turns_.next_look()) : next;
}

bool roster::judges(time_point now) const noexcept
{
    return std::ranges::any_of(starting_, [&](worker_id worker) { return members_.at(worker).due <= now; });
}

void roster::look_at_starts(time_point now)
{
    for (const worker_id worker : std::vector(starting_)) {
        member& m = members_.at(worker);
        if (m.due > now)
            continue;
        if (now - m.due > late_loop && !std::exchange(m.forgiven, true)) {
            m.due = saturating_add(now, settings_.start_timeout); // both may have been stopped
            continue;
        }
        no_longer_starts(worker); // what has become of it follows
        actions_.push_back({.what = action::end, .worker = worker, .node = m.node, .how = end_mode::late});
    }
    for (const std::size_t node : std::vector(paused_))
        if (places_[node].start_at <= now)
            want(node, now);
}

} // namespace twat::mp::detail
