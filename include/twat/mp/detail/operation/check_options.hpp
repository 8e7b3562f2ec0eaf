// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CHECK_OPTIONS_HPP
#define TWAT_MP_DETAIL_OPERATION_CHECK_OPTIONS_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// Throws `std::invalid_argument` that names the member and says what is wrong with it.
TWAT_MP_DECL void check_options(const call_options& options);
TWAT_MP_DECL void check_options(const tenant_options& options);

} // namespace twat::mp::detail

#endif
