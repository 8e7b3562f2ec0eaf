// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/histogram.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace twat::mp {
namespace {

// Bucket 0 holds what is below 2^10 ns; each doubling from there on has four. The last one holds the rest.
constexpr unsigned first_bit = 10;

std::uint64_t ticks(histogram::duration value) noexcept
{
    return static_cast<std::uint64_t>(std::max<histogram::duration::rep>(0, value.count()));
}

// Years of many tasks' time: the sum stays at the end of the range.
histogram::duration saturating_sum(histogram::duration sum, std::uint64_t value, std::uint64_t times) noexcept
{
    histogram::duration::rep more = 0;
    if (__builtin_mul_overflow(value, times, &more) || __builtin_add_overflow(sum.count(), more, &more))
        return histogram::duration::max();
    return histogram::duration(more);
}

std::uint64_t bound(std::size_t bucket) noexcept
{
    if (bucket == 0)
        return std::uint64_t(1) << first_bit;
    const std::size_t bit = first_bit + (bucket - 1) / 4;
    return (5 + (bucket - 1) % 4) << (bit - 2);
}

} // namespace

std::size_t histogram::bucket_of(duration value) noexcept
{
    const std::uint64_t n = ticks(value);
    if (n < bound(0))
        return 0;
    const unsigned bit = static_cast<unsigned>(std::bit_width(n)) - 1;
    return std::min<std::size_t>(bucket_count - 1, 1 + (bit - first_bit) * 4 + ((n >> (bit - 2)) & 3));
}

histogram::duration histogram::upper_bound(std::size_t bucket) noexcept
{
    return duration(static_cast<duration::rep>(bound(bucket)));
}

void histogram::record(duration value, std::uint64_t times)
{
    if (times == 0)
        return;
    if (counts_.empty())
        counts_.resize(bucket_count);
    counts_[bucket_of(value)] += times;
    sum_ = saturating_sum(sum_, ticks(value), times);
}

std::uint64_t histogram::count() const noexcept
{
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t(0));
}

histogram::duration histogram::mean() const noexcept
{
    const std::uint64_t n = count();
    return n == 0 ? duration::zero() : sum_ / static_cast<duration::rep>(n);
}

histogram::duration histogram::quantile(double q) const noexcept
{
    const std::uint64_t n = count();
    if (n == 0)
        return duration::zero();
    const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(n);
    double before = 0;
    std::uint64_t lower = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        const auto here = static_cast<double>(counts_[i]);
        if (here > 0 && before + here >= wanted)
            return duration(std::llround(static_cast<double>(lower) + static_cast<double>(bound(i) - lower) *
                                                                          std::max(0.0, wanted - before) / here));
        before += here;
        lower = bound(i);
    }
    return upper_bound(bucket_count - 1);
}

std::uint64_t histogram::count_up_to(duration limit) const noexcept
{
    if (counts_.empty() || limit < duration::zero())
        return 0;
    const std::size_t last = bucket_of(limit);
    const std::uint64_t below =
        std::accumulate(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(last), std::uint64_t(0));
    const std::uint64_t lower = last == 0 ? 0 : bound(last - 1);
    const double part =
        std::min(1.0, static_cast<double>(ticks(limit) - lower) / static_cast<double>(bound(last) - lower));
    return below + static_cast<std::uint64_t>(part * static_cast<double>(counts_[last]));
}

histogram& histogram::operator+=(const histogram& other)
{
    if (other.counts_.empty())
        return *this;
    if (counts_.empty())
        counts_.resize(bucket_count);
    for (std::size_t i = 0; i < bucket_count; ++i)
        counts_[i] += other.counts_[i];
    sum_ = saturating_sum(sum_, ticks(other.sum_), 1);
    return *this;
}

histogram& histogram::operator-=(const histogram& earlier)
{
    if (counts_.empty() || earlier.counts_.empty())
        return *this;
    for (std::size_t i = 0; i < bucket_count; ++i)
        counts_[i] -= std::min(counts_[i], earlier.counts_[i]);
    sum_ = std::max(duration::zero(), sum_ - earlier.sum_);
    return *this;
}

} // namespace twat::mp
