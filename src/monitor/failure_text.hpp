// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_FAILURE_TEXT_HPP
#define TWAT_MP_SRC_MONITOR_FAILURE_TEXT_HPP

#include <twat/mp/parcel.hpp>
#include <twat/mp/stacktrace.hpp>

#include <exception>
#include <string>

namespace twat::mp::detail {

/// What is kept of an exception instead of the exception itself: that belongs to the program, which may change it, or wait for its end.
struct failure_text
{
    std::string what{};
    std::string details{};  ///< As `boost::diagnostic_information` writes them, without stacks.
    mp::stacktrace stack{}; ///< The outermost one. Nothing is looked up yet.
    mp::parcel call{};
};

/// Leaves the exception as it is, and looks up no names. @param details Whether to write them: this runs code of the program's types.
failure_text describe_failure(const std::exception_ptr& error, bool details);

} // namespace twat::mp::detail

#endif
