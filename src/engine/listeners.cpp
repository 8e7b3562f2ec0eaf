// SPDX-License-Identifier: BSL-1.0
#include "engine/listeners.hpp"

#include <algorithm>

#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

/// Between two looks at what tasks report, while outcomes arrive and while none does.
constexpr duration look_pause = std::chrono::milliseconds(10);
constexpr duration look_interval = std::chrono::milliseconds(100);

} // namespace

void listeners::add(operation_state& op, time_point now)
{
    all_.push_back(&op);
    next_ = std::min(next_, saturating_add(now, look_interval));
}

void listeners::remove(const operation_state& op) noexcept
{
    std::erase(all_, &op);
    if (all_.empty())
        next_ = time_point::max();
}

operation_state* listeners::find(std::uint64_t operation) const noexcept
{
    const auto found =
        std::find_if(all_.begin(), all_.end(), [=](const operation_state* op) { return op->id == operation; });
    return found == all_.end() || (*found)->final_error ? nullptr : *found;
}

bool listeners::look_before_outcome(bool last, time_point now) const noexcept
{
    return last || now - looked_at_ >= look_pause;
}

void listeners::looked(time_point now) noexcept
{
    looked_at_ = now;
    next_ = all_.empty() ? time_point::max() : saturating_add(now, look_interval);
}

} // namespace twat::mp::detail
