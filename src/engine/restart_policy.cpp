// SPDX-License-Identifier: BSL-1.0
#include "engine/restart_policy.hpp"

#include <algorithm>

namespace twat::mp::detail {
namespace {

constexpr duration first_pause = std::chrono::milliseconds(10);
constexpr duration longest_pause = std::chrono::seconds(1);

} // namespace

restart_policy::restart_policy(restart_limit limit, std::size_t nodes)
    : count_(limit.count != 0 ? limit.count : std::max<std::size_t>(5, 2 * nodes)), window_(limit.window)
{}

std::optional<time_point> restart_policy::on_death(time_point now, bool was_ready)
{
    if (broken_)
        return std::nullopt;
    while (!deaths_.empty() && now - deaths_.front() > window_)
        deaths_.pop_front();
    deaths_.push_back(now);
    if (deaths_.size() > count_) {
        broken_ = true;
        return std::nullopt;
    }
    if (was_ready)
        return now;
    const std::size_t doublings = std::min<std::size_t>(failed_starts_++, 10);
    return now + std::min(longest_pause, first_pause * (std::int64_t(1) << doublings));
}

} // namespace twat::mp::detail
