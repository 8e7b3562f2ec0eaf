// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_DUMP_HPP
#define TWAT_MP_SRC_POOL_DUMP_HPP

#include <twat/mp/pool_dump.hpp>

namespace twat::mp::detail {

/// Types as a person writes them.
void name_functions(pool_dump& dump);

/// Waits for the answers, each for 20 ms at most.
void take_stacks(const pool_dump& dump) noexcept;

/// The same, and reads debug information: not on a loop.
void look_up(const pool_dump& dump) noexcept;

} // namespace twat::mp::detail

#endif
