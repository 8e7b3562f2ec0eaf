// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_CLUSTER_W12_CLUSTER_HPP
#define TWAT_MP_BENCH_CLUSTER_W12_CLUSTER_HPP

#include "registry.hpp"

namespace bench {

void add_w12(registry& rows);

} // namespace bench

#endif
