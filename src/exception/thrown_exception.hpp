// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_EXCEPTION_THROWN_EXCEPTION_HPP
#define TWAT_MP_SRC_EXCEPTION_THROWN_EXCEPTION_HPP

#include <boost/exception/exception.hpp>

#include <exception>
#include <string>
#include <typeinfo>

namespace twat::mp::detail {

/// What can be seen of an exception of any type. Valid as long as the exception.
struct thrown_exception
{
    explicit thrown_exception(const std::exception_ptr& error);

    const std::type_info* type = nullptr; ///< Null only for exceptions of other languages.
    const std::exception* as_std = nullptr;
    const boost::exception* as_boost = nullptr;
    std::exception_ptr nested; ///< Of `std::throw_with_nested` or `boost::errinfo_nested_exception`.

    /// As C++ writes it, without what `throw_exception`, `throw_with_nested` and this library put around it.
    std::string type_name() const;
};

/// The value of an exception that is not a class of exceptions: a number, or text. Otherwise says that there is none.
std::string describe_value(const std::exception_ptr& error, const std::string& type_name);

} // namespace twat::mp::detail

#endif
