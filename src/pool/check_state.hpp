// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_CHECK_STATE_HPP
#define TWAT_MP_SRC_POOL_CHECK_STATE_HPP

#include <exception>
#include <string>
#include <typeinfo>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// Throws `std::invalid_argument` that names the member if initializer or finalizer want what there is not.
void check_state(const pool_options& options);

/// Why the workers of such a pool have no state of this type; empty: they have.
std::string why_no_state(const pool_options& options, const std::type_info& wanted);

/// A `std::logic_error` if tasks want a state that workers of such a pool do not have; null: they want none, or get it.
std::exception_ptr missing_state(const pool_options& options, const std::type_info* wanted);

} // namespace twat::mp::detail

#endif
