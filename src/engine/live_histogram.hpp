// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_LIVE_HISTOGRAM_HPP
#define TWAT_MP_SRC_ENGINE_LIVE_HISTOGRAM_HPP

#include <array>
#include <atomic>
#include <cstdint>

#include <twat/mp/histogram.hpp>

namespace twat::mp::detail {

/// Adds nanoseconds to a sum that stays what a `duration` can hold. One thread at a time writes.
inline void saturating_count(std::atomic<std::uint64_t>& to, std::uint64_t n) noexcept
{
    constexpr auto most = static_cast<std::uint64_t>(histogram::duration::max().count());
    const std::uint64_t now = to.load(std::memory_order_relaxed);
    to.store(n > most - now ? most : now + n, std::memory_order_relaxed);
}

constexpr std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) noexcept
{
    std::uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? ~std::uint64_t(0) : product;
}

/** A histogram that one thread at a time records in while any thread may look: no lock, and no read-modify-write. */
class live_histogram
{
public:
    void record(histogram::duration value, std::uint64_t times = 1) noexcept
    {
        add(counts_[histogram::bucket_of(value)], times);
        saturating_count(sum_,
                         saturating_product(static_cast<std::uint64_t>(value.count() > 0 ? value.count() : 0), times));
    }

    /// Nearly of one moment: what is recorded meanwhile may count in one bucket and not in another.
    histogram snapshot() const
    {
        histogram copy;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            if (const std::uint64_t n = counts_[i].load(std::memory_order_relaxed); n != 0) {
                if (copy.counts_.empty())
                    copy.counts_.resize(counts_.size());
                copy.counts_[i] = n;
            }
        copy.sum_ = histogram::duration(static_cast<histogram::duration::rep>(sum_.load(std::memory_order_relaxed)));
        return copy;
    }

private:
    static void add(std::atomic<std::uint64_t>& to, std::uint64_t n) noexcept
    {
        to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }

    std::array<std::atomic<std::uint64_t>, histogram::bucket_count> counts_{};
    std::atomic<std::uint64_t> sum_{0};
};

} // namespace twat::mp::detail

#endif
