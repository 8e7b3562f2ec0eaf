// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_HEDGE_HPP
#define TWAT_MP_HEDGE_HPP

#include <chrono>

#include <twat/mp/config.hpp>

namespace twat::mp {

/// The span of time within which this part of all tasks end, in percent; see `call_options::hedge_after`.
struct percentile
{
    double value; ///< Between 0 and 100, both excluded.
};

/** After what time a task that still runs is run a second time; see `call_options::hedge_after`.

    Converts from a duration, and from a percentile of how long the tasks have taken so far.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe.

    @par Example
    @code
    auto quick = pool.with({.hedge_after = 50ms});
    auto quicker = pool.with({.hedge_after = mp::percentile{95}});
    @endcode
*/
class hedge_delay
{
public:
    /// Never.
    constexpr hedge_delay() noexcept = default;
    /// After so long. Zero: never.
    template <class Rep, class Period>
    constexpr hedge_delay(std::chrono::duration<Rep, Period> after)
        : after_(std::chrono::duration_cast<std::chrono::nanoseconds>(after))
    {}
    /// After as long as this part of the tasks take at most.
    constexpr hedge_delay(percentile of) noexcept : percent_(of.value), of_all_(true) {}

    /// Whether no task is run a second time.
    constexpr bool never() const noexcept { return !of_all_ && after_ == std::chrono::nanoseconds::zero(); }
    /// Whether it goes by a percentile.
    constexpr bool measured() const noexcept { return of_all_; }
    /// The time, unless it goes by a percentile.
    constexpr std::chrono::nanoseconds after() const noexcept { return after_; }
    /// The percentile, if it goes by one.
    constexpr double percent() const noexcept { return percent_; }

private:
    std::chrono::nanoseconds after_{};
    double percent_ = 0;
    bool of_all_ = false;
};

} // namespace twat::mp

#endif
