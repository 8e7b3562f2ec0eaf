// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_IDLE_BOUND_HPP
#define TWAT_MP_SRC_ENGINE_IDLE_BOUND_HPP

#include <algorithm>
#include <chrono>
#include <optional>

#include "backend/chunk.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

/** Decides how long a worker may be idle before it is one too many.

    Work that comes and goes shall find its workers: where more are wanted soon after some were ended, the time was too short, and is doubled.
*/
class idle_bound
{
public:
    /// Workers that are wanted again within this were given up too early. Also the longest that the limit grows to.
    static constexpr duration too_early = std::chrono::seconds(10);

    /// @param shortest Zero: workers may be idle for ever.
    explicit idle_bound(duration shortest) noexcept : shortest_(shortest), now_(shortest) {}

    bool bounded() const noexcept { return shortest_ != duration::zero(); }
    duration get() const noexcept { return now_; }

    /// A worker was idle for too long, and is ended.
    void retired(time_point now) noexcept { retired_at_ = now; }
    /// More workers are wanted.
    void wanted(time_point now) noexcept
    {
        if (!retired_at_)
            return;
        const bool soon = now - *retired_at_ < too_early;
        now_ = soon ? std::max(shortest_, std::min(saturating_add(now_, now_), too_early)) : shortest_;
        retired_at_.reset();
    }

private:
    const duration shortest_;
    duration now_;
    std::optional<time_point> retired_at_; // the last one
};

} // namespace twat::mp::detail

#endif
