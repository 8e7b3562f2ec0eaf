// SPDX-License-Identifier: BSL-1.0
#include "monitor/failure_text.hpp"

#include <boost/core/demangle.hpp>
#include <boost/exception/current_exception_cast.hpp>
#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/errinfo_nested_exception.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/exception_ptr.hpp>

#include <cxxabi.h>

#include <typeinfo>

#include <twat/mp/worker_died.hpp>

namespace twat::mp::detail {
namespace {

constexpr std::size_t longest_report = 16 * 1024;
constexpr std::size_t longest_details = 64 * 1024;
constexpr int most_nested = 16;

struct copy_of_infos : boost::exception
{};

/// Puts an info that says nothing over one whose text is not wanted, and returns what it is shown as.
template <class Info>
std::string blank(copy_of_infos& infos, const Info& nothing)
{
    if (!boost::get_error_info<Info>(infos))
        return {};
    infos << nothing;
    using boost::to_string;
    return to_string(nothing);
}

void erase(std::string& text, const std::string& part)
{
    if (const std::size_t at = text.find(part); !part.empty() && at != std::string::npos)
        text.erase(at, part.size());
}

/// Boost.Exception keeps the text that it makes in the exception, so it makes that of a copy.
std::string infos_of(const boost::exception& e)
{
    std::string text;
    const char* const* file = boost::get_error_info<boost::throw_file>(e);
    const int* line = boost::get_error_info<boost::throw_line>(e);
    const char* const* function = boost::get_error_info<boost::throw_function>(e);
    if (file)
        text += std::string("Thrown at ") + *file + (line ? ':' + std::to_string(*line) : "") +
                (function ? std::string(" in ") + *function : "") + '\n';
    copy_of_infos infos;
    boost::exception_detail::copy_boost_exception(&infos, &e);
    const std::string stack = blank(infos, errinfo_stacktrace(stacktrace()));
    const std::string nested = blank(infos, boost::errinfo_nested_exception(boost::exception_ptr()));
    std::string attached = boost::diagnostic_information(infos, false);
    erase(attached, stack);
    erase(attached, nested);
    return text + attached;
}

std::exception_ptr nested_in_current(const boost::exception* as_boost)
{
    if (const auto* nests = boost::current_exception_cast<const std::nested_exception>(); nests && nests->nested_ptr())
        return nests->nested_ptr();
    const boost::exception_ptr* nested =
        as_boost ? boost::get_error_info<boost::errinfo_nested_exception>(*as_boost) : nullptr;
    if (!nested || !*nested)
        return nullptr;
    try {
        boost::rethrow_exception(*nested);
    }
    catch (...) {
        return std::current_exception();
    }
}

void describe_current(failure_text& to, const std::exception* as_std, const boost::exception* as_boost, int depth)
{
    const auto* died = dynamic_cast<const worker_died*>(as_std);
    const stacktrace* stack = as_boost ? boost::get_error_info<errinfo_stacktrace>(*as_boost) : nullptr;
    const parcel* call = as_boost ? boost::get_error_info<errinfo_parcel>(*as_boost) : nullptr;
    if (to.stack.empty() && (died || stack))
        to.stack = died ? died->stacktrace() : *stack;
    if (depth != 0)
        return;
    if (died || call)
        to.call = died ? died->parcel() : *call;
    const char* const what = as_std ? as_std->what() : "an exception of a type that is not derived from std::exception";
    to.what = std::string(what ? what : "").substr(0, longest_report);
}

std::string details_of_current(const std::exception* as_std, const boost::exception* as_boost)
{
    const std::type_info* const type = abi::__cxa_current_exception_type();
    std::string text =
        "Dynamic exception type: " + (type ? boost::core::demangle(type->name()) : std::string("unknown")) + '\n';
    const char* const what = as_std ? as_std->what() : nullptr;
    if (what)
        text += std::string("std::exception::what: ") + what + '\n';
    return as_boost ? text + infos_of(*as_boost) : text;
}

} // namespace

failure_text describe_failure(const std::exception_ptr& error, bool details)
{
    failure_text described;
    std::exception_ptr at = error;
    for (int depth = 0; at && depth != most_nested; ++depth)
        try {
            std::rethrow_exception(at);
        }
        catch (...) {
            const auto* as_std = boost::current_exception_cast<const std::exception>();
            const auto* as_boost = boost::current_exception_cast<const boost::exception>();
            describe_current(described, as_std, as_boost, depth);
            if (details && described.details.size() < longest_details)
                described.details +=
                    (depth == 0 ? "" : "\nwhile this was handled:\n") + details_of_current(as_std, as_boost);
            at = nested_in_current(as_boost);
        }
    if (described.details.size() > longest_details)
        described.details.resize(longest_details);
    return described;
}

} // namespace twat::mp::detail
