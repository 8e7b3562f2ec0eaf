// SPDX-License-Identifier: BSL-1.0
#include "backend/restart_policy.hpp"

#include <algorithm>

namespace twat::mp::detail {
namespace {

constexpr duration first_pause = std::chrono::milliseconds(10); // a start may fail once
constexpr duration second_pause = std::chrono::milliseconds(100);
constexpr duration longest_pause = std::chrono::seconds(5);
// When no worker is ready and all starts have failed for so long, the next will too.
constexpr duration longest_failing = std::chrono::seconds(10);
// While others work, a worker that the system has no room for is tried again after this.
constexpr duration pause_for_room = std::chrono::milliseconds(200);
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
    : count_(limit.count != 0 ? limit.count : std::max<std::size_t>(5, 2 * nodes)), window_(limit.window), threw_(nodes), random_(seed)
{}

std::optional<time_point> restart_policy::on_loss(const lost_worker& lost, time_point now)
{
    threw_[lost.node] = lost.initializer_threw;
    if (state_ == state::broken)
        return std::nullopt;
    if (state_ == state::trying)
        return break_for(lost, now, "a worker of the broken pool was tried again, and failed to start");
    if (!ever_ready_ && (lost.fails_again || all_initializers_threw()))
        return break_for(lost, now, {});
    if (lost.stuck && !lost.others_ready)
        return break_for(lost, now, {});
    if (lost.no_room && lost.others_ready)
        return now + pause_for_room; // no fault of the workers

    while (!losses_.empty() && now - losses_.front() > window_)
        losses_.pop_front();
    losses_.push_back(now);
    if (!lost.was_ready && failed_starts_++ == 0)
        failing_since_ = now;
    if (losses_.size() > count_)
        return break_for(lost, now, "more than " + std::to_string(count_) +
                                        " workers died outside of tasks within pool_options::restarts.window");
    if (lost.was_ready)
        return now;
    if (!lost.others_ready && failed_starts_ > 1 && now - failing_since_ > std::max(window_, longest_failing))
        return break_for(lost, now, "no worker is ready, and starting one has failed " + std::to_string(failed_starts_) + " times in a row");
    if (failed_starts_ == 1)
        return now + first_pause;
    const duration pause = doubled(second_pause, failed_starts_ - 2, longest_pause);
    // Not all at once: what makes starts fail is often something that all of them want.
    const double part = std::uniform_real_distribution<>(0.75, 1.25)(random_);
    return now + duration(static_cast<duration::rep>(static_cast<double>(pause.count()) * part));
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
    threw_[node] = false;
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
    return std::all_of(threw_.begin(), threw_.end(), [](bool threw) { return threw; });
}

} // namespace twat::mp::detail
