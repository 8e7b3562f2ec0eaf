// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_TIME_SATURATING_HPP
#define TWAT_MP_SRC_TIME_SATURATING_HPP

#include <twat/mp/options.hpp>

#include <chrono>
#include <limits>

namespace twat::mp::detail {

/** Arithmetic on times that stops at the ends of the range instead of overflowing.

    `duration::max()` means "no limit" and `time_point::max()` means "never" throughout the library. Both are sticky: whatever is added to them
    or subtracted from them, they stay what they are.
*/
template <class Clock>
using time_of = std::chrono::time_point<Clock, duration>;

constexpr duration saturating_add(duration a, duration b) noexcept
{
    if (a == duration::max() || b == duration::max())
        return duration::max();
    duration::rep sum = 0;
    if (__builtin_add_overflow(a.count(), b.count(), &sum))
        return a < duration::zero() ? duration::min() : duration::max();
    return duration(sum);
}

template <class Clock>
constexpr time_of<Clock> saturating_add(time_of<Clock> from, duration span) noexcept
{
    return time_of<Clock>(saturating_add(from.time_since_epoch(), span));
}

/// The time from `from` to `to`.
template <class Clock>
constexpr duration saturating_subtract(time_of<Clock> to, time_of<Clock> from) noexcept
{
    if (to == time_of<Clock>::max())
        return duration::max();
    duration::rep difference = 0;
    if (__builtin_sub_overflow(to.time_since_epoch().count(), from.time_since_epoch().count(), &difference))
        return to < from ? duration::min() : duration::max();
    return duration(difference);
}

/// A number of nanoseconds that was computed in floating point; not a number gives `duration::max()`.
constexpr duration saturating_duration(double nanoseconds) noexcept
{
    // 2^63, the first double beyond duration::max(), which itself is not a double.
    constexpr double beyond = -static_cast<double>(std::numeric_limits<duration::rep>::min());
    if (!(nanoseconds < beyond))
        return duration::max();
    if (nanoseconds < -beyond)
        return duration::min();
    return duration(static_cast<duration::rep>(nanoseconds));
}

/// `span * factor`.
constexpr duration saturating_scale(duration span, double factor) noexcept
{
    if (span == duration::max())
        return duration::max();
    return saturating_duration(static_cast<double>(span.count()) * factor);
}

} // namespace twat::mp::detail

#endif
