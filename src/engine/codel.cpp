// SPDX-License-Identifier: BSL-1.0
#include "engine/codel.hpp"

#include <cmath>

#include "time/saturating.hpp"

namespace twat::mp::detail {

bool codel::refuses(const load_shedding& limits, time_point now, duration waited, bool last) noexcept
{
    const bool above = is_above(limits, now, waited, last);
    if (refusing_) {
        if (!above) {
            refusing_ = false;
            return false;
        }
        if (now >= next_) {
            ++count_;
            next_ = next_after(next_, limits.interval);
            return true;
        }
        return waited > limits.interval;
    }
    if (!above)
        return false;
    refusing_ = true;
    // Shortly after the last time it goes on at the pace that was right then.
    const std::uint32_t since = count_ - last_count_;
    const bool again = since > 1 && saturating_subtract(now, next_) < saturating_scale(limits.interval, 16);
    count_ = last_count_ = again ? since : 1;
    next_ = next_after(now, limits.interval);
    return true;
}

bool codel::is_above(const load_shedding& limits, time_point now, duration waited, bool last) noexcept
{
    if (waited < limits.target || last) {
        above_until_ = time_point::max();
        return false;
    }
    if (above_until_ == time_point::max()) {
        above_until_ = saturating_add(now, limits.interval);
        return false;
    }
    return now >= above_until_;
}

time_point codel::next_after(time_point from, duration interval) const noexcept
{
    return saturating_add(from, saturating_scale(interval, 1 / std::sqrt(static_cast<double>(count_))));
}

} // namespace twat::mp::detail
