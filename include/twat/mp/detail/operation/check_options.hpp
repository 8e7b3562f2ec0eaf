// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CHECK_OPTIONS_HPP
#define TWAT_MP_DETAIL_OPERATION_CHECK_OPTIONS_HPP

#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// Throws `std::invalid_argument`: the library's name, that of the member (`pool_options::spin`), and what is wrong with it.
[[noreturn]] TWAT_MP_DECL void refuse_option(const char* member, const std::string& why);

/// Throws `std::invalid_argument` that names the member and says what is wrong with it. Of a pool's: what workers of every kind must have right.
TWAT_MP_DECL void check_options(const pool_options& options);
TWAT_MP_DECL void check_options(const call_options& options);
TWAT_MP_DECL void check_options(const tenant_options& options);

} // namespace twat::mp::detail

#endif
