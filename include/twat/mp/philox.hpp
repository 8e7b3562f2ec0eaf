// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_PHILOX_HPP
#define TWAT_MP_PHILOX_HPP

#include <array>
#include <cstdint>
#include <limits>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** Random numbers that depend on a seed and an index alone: the same for a task wherever it runs, and whatever ran before.

    Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). A counter is enciphered with the seed
    as key, so making one costs nothing, and those of different indexes do not overlap: each has 2^66 numbers. A uniform random bit
    generator, for the distributions of the standard library. Not for secrets.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.

    @par Example
    @code
    double estimate(std::uint64_t index)
    {
        mp::philox4x32 random(seed, index);
        std::normal_distribution<double> noise;
        return simulate(noise(random), noise(random));
    }
    // auto estimates = pool.map(estimate, std::views::iota(std::uint64_t(0), std::uint64_t(1000)));
    @endcode
*/
class philox4x32
{
public:
    /// A number.
    using result_type = std::uint32_t;
    /// A counter, and what it is enciphered to.
    using words = std::array<std::uint32_t, 4>;

    /// @param seed Of the whole computation. @param index Of the task.
    explicit constexpr philox4x32(std::uint64_t seed = 0, std::uint64_t index = 0) noexcept
        : key_{low(seed), high(seed)}, index_(index)
    {}

    /// The least number that it gives.
    static constexpr result_type min() noexcept { return 0; }
    /// The greatest number that it gives.
    static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

    /// The next number.
    constexpr result_type operator()() noexcept
    {
        if (at_ == block_.size()) {
            block_ = encipher({low(count_), high(count_), low(index_), high(index_)}, key_);
            ++count_;
            at_ = 0;
        }
        return block_[at_++];
    }

    /// Goes over `n` numbers, in the same time for any `n`.
    constexpr void discard(std::uint64_t n) noexcept
    {
        const std::uint64_t left = block_.size() - at_;
        if (n <= left) {
            at_ += static_cast<unsigned>(n);
            return;
        }
        n -= left;
        count_ += n / block_.size();
        at_ = static_cast<unsigned>(block_.size());
        for (std::uint64_t i = n % block_.size(); i != 0; --i)
            static_cast<void>((*this)());
    }

    /// The four numbers for a counter under a key: ten rounds. What the others are made of.
    static constexpr words encipher(words counter, std::array<std::uint32_t, 2> key) noexcept
    {
        for (int round = 0; round != 10; ++round) {
            const std::uint64_t first = std::uint64_t(0xd251'1f53u) * counter[0];
            const std::uint64_t second = std::uint64_t(0xcd9e'8d57u) * counter[2];
            counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1], low(first)};
            key[0] += 0x9e37'79b9u;
            key[1] += 0xbb67'ae85u;
        }
        return counter;
    }

    friend constexpr bool operator==(const philox4x32& a, const philox4x32& b) noexcept
    {
        return a.key_ == b.key_ && a.index_ == b.index_ && a.position() == b.position();
    }

private:
    static constexpr std::uint32_t low(std::uint64_t value) noexcept { return static_cast<std::uint32_t>(value); }
    static constexpr std::uint32_t high(std::uint64_t value) noexcept
    {
        return static_cast<std::uint32_t>(value >> 32);
    }
    constexpr std::uint64_t position() const noexcept { return block_.size() * count_ - (block_.size() - at_); }

    std::array<std::uint32_t, 2> key_;
    std::uint64_t index_;
    std::uint64_t count_ = 0; ///< Blocks that were made.
    words block_{};
    unsigned at_ = 4; ///< The next number in the block.
};

} // namespace twat::mp

#endif
