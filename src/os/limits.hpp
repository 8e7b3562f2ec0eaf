// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_LIMITS_HPP
#define TWAT_MP_SRC_OS_LIMITS_HPP

#include <string>

#include <boost/system/error_code.hpp>

namespace twat::mp::detail {

/// The limit that an error of the system speaks of, with its value and how to raise it, in parentheses and with a space in front; empty for
/// errors that are no limit's.
std::string explain_limit(const boost::system::error_code& ec);

} // namespace twat::mp::detail

#endif
