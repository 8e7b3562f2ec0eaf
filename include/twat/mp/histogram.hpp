// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_HISTOGRAM_HPP
#define TWAT_MP_HISTOGRAM_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <twat/mp/config.hpp>

namespace twat::mp {

namespace detail {
class live_histogram;
}

/** How often spans of time of which length occurred.

    The buckets are the same in every histogram: four to each doubling, from one microsecond to about an hour. Shorter and longer
    values count in the first and last one. So histograms can be added and subtracted, recording costs a few instructions, and a
    quantile is off by an eighth at most. One in which nothing was recorded owns no memory.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.
*/
class TWAT_MP_DECL histogram
{
public:
    /// What is recorded.
    using duration = std::chrono::nanoseconds;

    /// How many buckets every histogram has.
    static constexpr std::size_t bucket_count = 130;

    /// Where a value belongs. Negative ones count as zero.
    static std::size_t bucket_of(duration value) noexcept;
    /// The values of a bucket are below this and not below the bound of the bucket before it.
    static duration upper_bound(std::size_t bucket) noexcept;

    /// Counts a value, `times` times. @throws std::bad_alloc the first time, if there is no memory for the buckets.
    void record(duration value, std::uint64_t times = 1);

    std::uint64_t count() const noexcept; ///< Values.
    /// Of all values.
    duration sum() const noexcept { return sum_; }
    /// Of all values; zero if there are none.
    duration mean() const noexcept;

    /** The value that a part `q` of all values do not exceed: 0.5 is the median. Interpolated within a bucket; zero if there is
        no value. @param q From 0 to 1.
    */
    duration quantile(double q) const noexcept;

    /// How many values are at most `limit`, interpolated within a bucket. Never falls when `limit` or the histogram grows.
    std::uint64_t count_up_to(duration limit) const noexcept;

    /// How many values a bucket has. @pre `bucket < bucket_count`
    std::uint64_t operator[](std::size_t bucket) const noexcept { return counts_.empty() ? 0 : counts_[bucket]; }

    /// Adds what another histogram has recorded.
    histogram& operator+=(const histogram& other);
    /// Takes away an earlier state of this histogram: what is left was recorded since.
    histogram& operator-=(const histogram& earlier);

    bool operator==(const histogram& other) const noexcept = default;

private:
    friend class detail::live_histogram;

    std::vector<std::uint64_t> counts_; // empty, or bucket_count
    duration sum_{};
};

} // namespace twat::mp

#endif
