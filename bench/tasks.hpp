// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_TASKS_HPP
#define TWAT_MP_BENCH_TASKS_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

/// What the tasks of several workloads compute, the same for floors, peers and pools.
namespace bench {

inline std::int64_t increment(std::int64_t x) { return x + 1; }
inline std::int64_t twice(std::int64_t x) { return 2 * x; }

inline std::int64_t steps(std::int64_t x, int count)
{
    std::int64_t result = x;
    for (int i = 0; i < count; ++i)
        result = (result * x + x) % 10000;
    return result;
}

/// W3: about 4 us.
inline std::int64_t equal_task(std::int64_t x) { return steps(x, 1000); }

/// W4: ten of a thousand cost 100 times as much. Drawn once, so that every contestant has the same ones.
inline bool is_heavy(std::int64_t i)
{
    constexpr std::array<std::int64_t, 10> heavy{49, 74, 96, 154, 331, 404, 548, 666, 840, 970};
    return std::find(heavy.begin(), heavy.end(), i) != heavy.end();
}

constexpr int light_steps = 10000;

/// W4: about 40 us, or 4 ms.
inline std::int64_t unequal_task(std::int64_t i) { return steps(i + 2, is_heavy(i) ? 100 * light_steps : light_steps); }

inline std::vector<std::int64_t> numbers(std::size_t count)
{
    std::vector<std::int64_t> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// Throws unless `out` holds `f` of `in`, by samples.
template <class F>
void check(const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out, F f)
{
    if (in.size() != out.size())
        throw std::runtime_error("results are missing");
    for (std::size_t i = 0; i < in.size(); i += 97)
        if (out[i] != f(in[i]))
            throw std::runtime_error("a result is wrong");
}

} // namespace bench

#endif
