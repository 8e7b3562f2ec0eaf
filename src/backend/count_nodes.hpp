// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BACKEND_COUNT_NODES_HPP
#define TWAT_MP_SRC_BACKEND_COUNT_NODES_HPP

#include <cstddef>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** `backend_factory::count_nodes` for workers on this machine: 0 is as many as CPUs that this process may use.

    @param descriptors That a worker takes in this process.
    Throws `std::invalid_argument` that begins with `name` if the system cannot have so many workers.
*/
TWAT_MP_DECL std::size_t count_local_nodes(std::size_t wanted, std::size_t descriptors, const char* name);

} // namespace twat::mp::detail

#endif
