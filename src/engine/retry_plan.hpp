// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_RETRY_PLAN_HPP
#define TWAT_MP_SRC_ENGINE_RETRY_PLAN_HPP

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>

#include <twat/mp/retry.hpp>

#include "backend/chunk.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

/// The pause behind the attempt with this number, from 1. @param chance From 0 to 1.
inline duration pause_after(const retry_policy& policy, std::size_t attempt, double chance) noexcept
{
    constexpr duration longest = std::chrono::hours(1);
    const double doubled = std::ldexp(static_cast<double>(policy.backoff.count()),
                                      static_cast<int>(std::min<std::size_t>(attempt - 1, 1000)));
    const double pause =
        std::min(doubled, static_cast<double>(longest.count())) * (1 + policy.jitter * (2 * chance - 1));
    return duration(static_cast<duration::rep>(pause));
}

/** When a task is run again that has failed in its attempt with this number, from 1; nothing: it is not.

    @param deadline Of its operation: an attempt that cannot begin before that is none.
*/
inline std::optional<time_point> next_attempt(const retry_policy& policy, std::size_t attempt, time_point now,
                                              time_point deadline, double chance) noexcept
{
    if (attempt >= policy.attempts)
        return std::nullopt;
    const time_point due = saturating_add(now, pause_after(policy, attempt, chance));
    return due < deadline ? std::optional(due) : std::nullopt;
}

} // namespace twat::mp::detail

#endif
