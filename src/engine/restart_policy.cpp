// SPDX-License-Identifier: BSL-1.0
#include "engine/restart_policy.hpp"

#include <algorithm>

namespace twat::mp::detail {
namespace {

constexpr duration first_pause = std::chrono::milliseconds(10); // a start may fail once
constexpr duration second_pause = std::chrono::milliseconds(100);
constexpr duration longest_pause = std::chrono::seconds(5);
// When no worker is ready and all starts have failed for so long, the next will too.
constexpr duration longest_trial = std::chrono::seconds(10);

} // namespace

restart_policy::restart_policy(restart_limit limit, std::size_t nodes, std::uint32_t seed)
    : count_(limit.count != 0 ? limit.count : std::max<std::size_t>(5, 2 * nodes)), window_(limit.window), random_(seed)
{}

std::optional<time_point> restart_policy::on_death(time_point now, bool was_ready, bool others_ready)
{
    if (broken_)
        return std::nullopt;
    while (!deaths_.empty() && now - deaths_.front() > window_)
        deaths_.pop_front();
    deaths_.push_back(now);
    if (!was_ready && failed_starts_ == 0)
        failing_since_ = now;
    const bool fails_for_long =
        !was_ready && !others_ready && failed_starts_ != 0 && now - failing_since_ > std::max(window_, longest_trial);
    broken_ = deaths_.size() > count_ || fails_for_long;
    if (broken_)
        return std::nullopt;
    if (was_ready)
        return now;
    const std::size_t failed = failed_starts_++;
    if (failed == 0)
        return now + first_pause;
    const duration pause = std::min(longest_pause, second_pause * (std::int64_t(1) << std::min<std::size_t>(failed - 1, 10)));
    // Not all at once: what makes starts fail is often something that all of them want.
    const double part = std::uniform_real_distribution<>(0.75, 1.25)(random_);
    return now + duration(static_cast<duration::rep>(static_cast<double>(pause.count()) * part));
}

std::string restart_policy::why_broken() const
{
    if (deaths_.size() > count_)
        return "more than " + std::to_string(count_) + " workers died within pool_options::restarts.window";
    return "no worker is ready, and starting one has failed " + std::to_string(failed_starts_ + 1) + " times in a row";
}

} // namespace twat::mp::detail
