// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_USABLE_CPUS_HPP
#define TWAT_MP_SRC_START_USABLE_CPUS_HPP

#include <cstddef>

namespace twat::mp::detail {

/** What `pool_options::nodes == 0` means: `available_cpus()`, but in a worker process no more than its share of those of its parent. */
std::size_t usable_cpus();

} // namespace twat::mp::detail

#endif
