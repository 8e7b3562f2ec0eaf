// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_CHECK_OPTIONS_HPP
#define TWAT_MP_SRC_POOL_CHECK_OPTIONS_HPP

#include <cstddef>

#include <twat/mp/detail/operation/backend_factory.hpp>

namespace twat::mp::detail {

/// The nodes that the options of a pool ask for, never 0. Throws `std::invalid_argument` that names the member if there cannot be so many.
std::size_t count_nodes(const backend_factory& factory);

} // namespace twat::mp::detail

#endif
