// SPDX-License-Identifier: BSL-1.0
#include "engine/restart_policy.hpp"

#include <algorithm>

namespace twat::mp::detail {
namespace {

constexpr duration first_pause = std::chrono::milliseconds(10); // a start may fail once
constexpr duration second_pause = std::chrono::milliseconds(100);
constexpr duration longest_pause = std::chrono::seconds(5);
// When no worker is ready and all starts have failed for so long, the next will too.
constexpr duration longest_failing = std::chrono::seconds(10);
// While others work, a worker that the system has no room for is tried again after this at first.
constexpr duration first_pause_for_room = std::chrono::milliseconds(200);
// Of a broken pool.
constexpr duration first_trial_pause = std::chrono::seconds(1);
constexpr duration longest_trial_pause = std::chrono::seconds(60);

/// `first`, doubled `times` times, at most `longest`.
duration doubled(duration first, std::size_t times, duration longest) noexcept
{
    return std::min(longest, first * (std::int64_t(1) << std::min<std::size_t>(times, 10)));
}

} // namespace

restart_policy::restart_policy(restart_limit limit, std::size_t nodes, std::uint32_t seed)
    : limit_(limit), window_(limit.window), random_(seed)
{
    resize(nodes);
}

std::size_t restart_policy::resize(std::size_t nodes)
{
    const std::size_t known = nodes_.size();
    count_ = limit_.count != 0 ? limit_.count : std::max<std::size_t>(5, 2 * nodes);
    nodes_.resize(std::max(nodes, known));
    return known;
}

std::optional<time_point> restart_policy::on_loss(const lost_worker& lost, time_point now)
{
    node_state& node = nodes_[lost.node];
    node.threw = lost.initializer_threw;
    node.failed += !lost.was_ready;
    if (state_ == state::broken)
        return std::nullopt;
    if (lost.nobody_left && !lost.others_ready)
        return break_for(lost, now, {});
    if (state_ == state::trying)
        return break_for(lost, now, "a worker of the broken pool was tried again, and failed to start");
    if (!ever_ready_ && (lost.fails_again || all_initializers_threw()))
        return break_for(lost, now, {});
    if (lost.stuck && !lost.others_ready)
        return break_for(lost, now, {});
    if (lost.others_ready && lost.no_room) // no fault of the workers
        return now + part_of(doubled(first_pause_for_room, node.failed - 1, longest_pause));
    if (lost.others_ready && !lost.was_ready)
        return now +
               (node.failed == 1 ? first_pause : part_of(doubled(second_pause, node.failed - 2, longest_trial_pause)));

    while (!losses_.empty() && now - losses_.front() > window_)
        losses_.pop_front();
    losses_.push_back(now);
    if (!lost.was_ready && failed_starts_++ == 0)
        failing_since_ = now;
    if (losses_.size() > count_)
        return break_for(lost, now,
                         "more than " + std::to_string(count_) +
                             " workers died outside of tasks within pool_options::restarts.window");
    if (lost.was_ready)
        return now;
    if (!lost.others_ready && failed_starts_ > 1 && now - failing_since_ > std::max(window_, longest_failing))
        return break_for(lost, now,
                         "no worker is ready, and starting one has failed " + std::to_string(failed_starts_) +
                             " times in a row");
    if (failed_starts_ == 1)
        return now + first_pause;
    return now + part_of(doubled(second_pause, failed_starts_ - 2, longest_pause));
}

// Not all at once: what makes starts fail is often something that all of them want.
duration restart_policy::part_of(duration pause)
{
    const double part = std::uniform_real_distribution<>(0.75, 1.25)(random_);
    return duration(static_cast<duration::rep>(static_cast<double>(pause.count()) * part));
}

std::nullopt_t restart_policy::break_for(const lost_worker& lost, time_point now, std::string why)
{
    if (state_ == state::whole && mended_at_ && now - *mended_at_ > window_)
        trials_ = 0;
    state_ = state::broken;
    // Where workers have been ready before, even another build may be replaced by the right one.
    for_good_ = lost.for_good && !ever_ready_;
    why_ = all_initializers_threw() && trials_ == 0 ? std::string() : std::move(why);
    next_trial_ = now + doubled(first_trial_pause, trials_++, longest_trial_pause);
    return std::nullopt;
}

bool restart_policy::on_ready(std::size_t node, time_point now)
{
    ever_ready_ = true;
    failed_starts_ = 0;
    nodes_[node].threw = false;
    nodes_[node].failed = 0;
    if (state_ == state::whole)
        return false;
    state_ = state::whole;
    losses_.clear();
    mended_at_ = now;
    return true;
}

bool restart_policy::try_again(time_point now) noexcept
{
    if (state_ == state::broken && !for_good_ && next_trial_ <= now)
        state_ = state::trying;
    return state_ == state::trying;
}

bool restart_policy::all_initializers_threw() const noexcept
{
    const bool any = std::any_of(nodes_.begin(), nodes_.end(), [](const node_state& node) { return node.expected; });
    return any && std::all_of(nodes_.begin(), nodes_.end(),
                              [](const node_state& node) { return node.threw || !node.expected; });
}

} // namespace twat::mp::detail
