// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_ABORTED_HPP
#define TWAT_MP_DETAIL_EXCEPTION_ABORTED_HPP

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// How a cancelled operation ends.
inline std::exception_ptr make_aborted()
{
    return std::make_exception_ptr(boost::system::system_error(make_error_code(asio::error::operation_aborted)));
}

} // namespace twat::mp::detail

#endif
