// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_CHECK_OPTIONS_HPP
#define TWAT_MP_SRC_POOL_CHECK_OPTIONS_HPP

#include <cstddef>

#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// Throws `std::invalid_argument` that names the member and says what is wrong with it. Returns the nodes, never 0.
std::size_t check_options(worker_kind kind, const pool_options& options);

} // namespace twat::mp::detail

#endif
