// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_FAULTS_HPP
#define TWAT_MP_BENCH_FAULTS_HPP

#include <sys/resource.h>

namespace bench {

/// Page faults of this process so far. Those of its children are not among them while they live.
inline double page_faults()
{
    ::rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_minflt);
}

} // namespace bench

#endif
