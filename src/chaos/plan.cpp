// SPDX-License-Identifier: BSL-1.0
#include "chaos/plan.hpp"

#include <twat/mp/philox.hpp>

namespace twat::mp::detail {
namespace {

/// A task that is killed while it runs is killed within this: long enough to be in the middle, short enough for a test.
constexpr std::uint64_t longest_life_ns = 5'000'000;

/// What is decided; each has dice of its own.
enum class question : std::uint32_t { refuse, start, task };

/// Four numbers that depend on what is asked alone.
philox4x32::words roll(std::uint64_t seed, question what, std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept
{
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    // Two rounds of the cipher, as there are more questions than one block has room for: the first makes the key of the second.
    const auto key =
        philox4x32::encipher({low(a), high(a), static_cast<std::uint32_t>(what), low(c)}, {low(seed), high(seed)});
    return philox4x32::encipher({low(b), high(b), key[2], key[3]}, {key[0], key[1]});
}

bool falls(std::uint32_t number, double probability) noexcept
{
    return static_cast<double>(number) < probability * 4294967296.0;
}

} // namespace

bool chaos_plan::refuses(std::uint64_t operation) const noexcept
{
    return options_.refuse > 0 && falls(roll(options_.seed, question::refuse, operation, 0, 0)[0], options_.refuse);
}

std::chrono::nanoseconds chaos_plan::slow_start(std::uint64_t start) const noexcept
{
    const chaos_delay& slow = options_.slow_start;
    const bool hit =
        slow.probability > 0 && falls(roll(options_.seed, question::start, start, 0, 0)[0], slow.probability);
    return hit ? slow.time : std::chrono::nanoseconds::zero();
}

task_fate chaos_plan::of_task(std::uint64_t operation, std::uint64_t index, std::uint64_t attempt) const noexcept
{
    task_fate fate;
    if (!touches_tasks())
        return fate;
    const auto numbers = roll(options_.seed, question::task, operation, index, attempt);
    if (falls(numbers[0], options_.kill)) {
        constexpr kill_moment moments[] = {kill_moment::before, kill_moment::during, kill_moment::after};
        fate.kill = moments[numbers[1] % 3];
        if (fate.kill == kill_moment::during)
            fate.after = std::chrono::nanoseconds((std::uint64_t(numbers[2]) * longest_life_ns) >> 32);
    }
    if (falls(numbers[3], options_.delay.probability))
        fate.late = options_.delay.time;
    return fate;
}

} // namespace twat::mp::detail
