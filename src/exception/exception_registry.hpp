// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_EXCEPTION_EXCEPTION_REGISTRY_HPP
#define TWAT_MP_SRC_EXCEPTION_EXCEPTION_REGISTRY_HPP

#include <exception>
#include <string_view>
#include <typeinfo>

#include <twat/mp/detail/exception/exception_type.hpp>

namespace twat::mp::detail {

/// The registered type that an exception has, or else the most derived one that it derives from; null if there is none.
const exception_type* find_registered(const std::exception_ptr& error, const std::type_info& type);

/// The registered type that an exception has exactly, also inside `std::throw_with_nested`; null if there is none.
const exception_type* exact_registered(const std::type_info& type) noexcept;

/// The registered type with this mangled name; null if there is none.
const exception_type* find_registered(std::string_view mangled_name) noexcept;

} // namespace twat::mp::detail

#endif
