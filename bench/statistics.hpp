// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_STATISTICS_HPP
#define TWAT_MP_BENCH_STATISTICS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace bench {

/// The value below which `part` (0 to 1) of the samples lie; 0 if there are none.
inline double quantile(std::vector<double> samples, double part)
{
    if (samples.empty())
        return 0;
    const auto at = static_cast<std::ptrdiff_t>(std::lround(part * static_cast<double>(samples.size() - 1)));
    std::nth_element(samples.begin(), samples.begin() + at, samples.end());
    return samples[static_cast<std::size_t>(at)];
}

inline double median(std::vector<double> samples) { return quantile(std::move(samples), 0.5); }

} // namespace bench

#endif
