// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_INLINE_INLINE_POOL_CORE_HPP
#define TWAT_MP_SRC_INLINE_INLINE_POOL_CORE_HPP

#include <memory>

#include <twat/mp/detail/operation/pool_core.hpp>

namespace twat::mp::detail {

/// The state of a pool whose tasks are run by the threads that call its members, before these return.
/// @param encodes Arguments, results and the function go through bytes, as to and from a process.
std::shared_ptr<pool_core> make_inline_pool_core(std::shared_ptr<const backend_factory> factory, bool encodes);

} // namespace twat::mp::detail

#endif
