// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_CHECK_OPTIONS_HPP
#define TWAT_MP_SRC_POOL_CHECK_OPTIONS_HPP

#include <cstddef>

#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// The nodes that `nodes` asks for, never 0. Throws `std::invalid_argument` that begins with `name` if the system cannot have so many workers.
std::size_t check_nodes(worker_kind kind, const pool_options& options, std::size_t nodes, const char* name);

/// Throws `std::invalid_argument` that names the member and says what is wrong with it. Returns the nodes, never 0.
std::size_t check_options(worker_kind kind, const pool_options& options);

} // namespace twat::mp::detail

#endif
