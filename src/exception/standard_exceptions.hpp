// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_EXCEPTION_STANDARD_EXCEPTIONS_HPP
#define TWAT_MP_SRC_EXCEPTION_STANDARD_EXCEPTIONS_HPP

#include <twat/mp/decoder.hpp>
#include <twat/mp/detail/exception/carrier.hpp>
#include <twat/mp/encoder.hpp>

#include <exception>
#include <span>
#include <string>
#include <typeinfo>

namespace twat::mp::detail {

/// A type of exception that everybody knows: the standard's, Boost.System's and this library's own.
struct standard_exception
{
    const std::type_info* id;
    /// Its type when thrown by `std::throw_with_nested`; null if the standard library at hand does not tell.
    const std::type_info* nested_id;
    /// Whether `e` is one, or derived from one.
    bool (*matches)(const std::exception& e);
    /// Appends what the exception consists of besides `what()`.
    void (*encode)(const std::exception& e, encoder& out);
    std::exception_ptr (*decode)(decoder& in, const std::string& what, const exception_facts& facts);
    /// A copy of `e`, which matches, that carries the facts.
    std::exception_ptr (*annotate)(const std::exception& e, const exception_facts& facts);
};

/// Derived types come before their bases; the last one is `std::exception`. A type's position is its name on the wire.
std::span<const standard_exception> standard_exceptions() noexcept;

/// The first one that matches.
std::size_t find_standard_exception(const std::exception& e) noexcept;

/// The one that is exactly of this type, also inside `std::throw_with_nested`; null if there is none.
const standard_exception* exact_standard_exception(const std::type_info& type) noexcept;

} // namespace twat::mp::detail

#endif
