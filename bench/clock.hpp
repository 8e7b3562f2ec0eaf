// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_CLOCK_HPP
#define TWAT_MP_BENCH_CLOCK_HPP

#include <chrono>
#include <utility>

namespace bench {

using clock = std::chrono::steady_clock;

inline double seconds(clock::duration span) { return std::chrono::duration<double>(span).count(); }
inline double seconds_since(clock::time_point begin) { return seconds(clock::now() - begin); }

/// How long `f()` takes.
template <class F>
double time_of(F&& f)
{
    const auto begin = clock::now();
    std::forward<F>(f)();
    return seconds_since(begin);
}

} // namespace bench

#endif
