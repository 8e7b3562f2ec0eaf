// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_FUNCTION_NAMED_HPP
#define TWAT_MP_SRC_FUNCTION_NAMED_HPP

#include <cstdint>
#include <string_view>

#include <twat/mp/detail/function/named_function.hpp>

namespace twat::mp::detail {

/// The caller's side: by what it is. @throws error `errc::unknown_function` that says what to register.
named_function find_registered(const function_key& key, const char* types);

/// The worker's side: by its name. @throws error `errc::unknown_function`
named_function find_registered(std::string_view name, std::uint64_t hash, std::string_view types);

} // namespace twat::mp::detail

#endif
