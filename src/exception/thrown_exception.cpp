// SPDX-License-Identifier: BSL-1.0
#include "exception/thrown_exception.hpp"

#include <boost/core/demangle.hpp>
#include <boost/exception/current_exception_cast.hpp>
#include <boost/exception/errinfo_nested_exception.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/exception_ptr.hpp>
#include <boost/system/error_code.hpp>

#include <cxxabi.h>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <twat/mp/exceptions.hpp>

namespace twat::mp::detail {
namespace {

std::exception_ptr nested_in_current(const boost::exception* as_boost)
{
    if (const auto* nested = boost::current_exception_cast<const std::nested_exception>())
        if (nested->nested_ptr())
            return nested->nested_ptr();
    if (!as_boost)
        return nullptr;
    const boost::exception_ptr* nested = boost::get_error_info<boost::errinfo_nested_exception>(*as_boost);
    if (!nested || !*nested)
        return nullptr;
    try {
        boost::rethrow_exception(*nested);
    }
    catch (...) {
        return std::current_exception();
    }
}

/// Takes `T` out of `wrapper<T>`, and of `wrapper<T, ...>`.
bool unwrap(std::string& name, std::string_view wrapper)
{
    if (!name.starts_with(wrapper) || !name.ends_with('>'))
        return false;
    name = name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
    while (name.ends_with(' ')) // "wrapper<T<int> >"
        name.pop_back();
    return true;
}

} // namespace

thrown_exception::thrown_exception(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (...) {
        type = abi::__cxa_current_exception_type();
        as_std = boost::current_exception_cast<const std::exception>();
        // A type that derives from both is not caught as their common base.
        if (!as_std)
            as_std = boost::current_exception_cast<const std::runtime_error>();
        if (!as_std)
            as_std = boost::current_exception_cast<const std::logic_error>();
        as_boost = boost::current_exception_cast<const boost::exception>();
        nested = nested_in_current(as_boost);
    }
}

std::string thrown_exception::type_name() const
{
    if (as_boost)
        if (const std::string* known = boost::get_error_info<errinfo_type_name>(*as_boost))
            return *known;
    if (const auto* remote = dynamic_cast<const remote_error*>(as_std))
        return remote->type_name();
    if (!type)
        return "unknown";
    std::string name = boost::core::demangle(type->name());
    while (unwrap(name, "boost::wrapexcept<") || unwrap(name, "boost::exception_detail::clone_impl<") ||
           unwrap(name, "boost::exception_detail::error_info_injector<") || unwrap(name, "std::_Nested_exception<") ||
           unwrap(name, "std::__nested<") || unwrap(name, "twat::mp::detail::carrier<") ||
           unwrap(name, "twat::mp::detail::nesting_carrier<")) {
    }
    return name == "std::__ios_failure" ? "std::ios_base::failure" : name;
}

std::string describe_value(const std::exception_ptr& error, const std::string& type_name)
{
    const auto text_or_null = [](const char* text) { return std::string(text ? text : "(null)"); };
    try {
        std::rethrow_exception(error);
    }
    catch (const char* text) { // also of char*
        return text_or_null(text);
    }
    catch (const std::string& text) {
        return text;
    }
    catch (std::string_view text) {
        return std::string(text);
    }
    catch (bool value) {
        return value ? "true" : "false";
    }
    catch (char value) {
        return std::string(1, value);
    }
    catch (int value) {
        return std::to_string(value);
    }
    catch (unsigned value) {
        return std::to_string(value);
    }
    catch (long value) {
        return std::to_string(value);
    }
    catch (unsigned long value) {
        return std::to_string(value);
    }
    catch (long long value) {
        return std::to_string(value);
    }
    catch (unsigned long long value) {
        return std::to_string(value);
    }
    catch (short value) {
        return std::to_string(value);
    }
    catch (unsigned short value) {
        return std::to_string(value);
    }
    catch (float value) {
        return std::to_string(value);
    }
    catch (double value) {
        return std::to_string(value);
    }
    catch (const std::error_code& code) {
        return code.message();
    }
    catch (const boost::system::error_code& code) {
        return code.message();
    }
    catch (...) {
    }
    return "an exception of type " + type_name + ", which says nothing";
}

} // namespace twat::mp::detail
