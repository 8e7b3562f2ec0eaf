// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WIRE_ERROR_CODE_HPP
#define TWAT_MP_SRC_WIRE_ERROR_CODE_HPP

#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

#include <boost/system/error_code.hpp>

#include <system_error>

namespace twat::mp::detail {

// Categories go by name. Those of the standard library, of Boost.System, of Asio and of this library arrive as themselves;
// any other as one that has the same name, and the same message for the value.

void encode_error_code(encoder& out, const std::error_code& code);
void encode_error_code(encoder& out, const boost::system::error_code& code);
std::error_code decode_error_code(decoder& in);
boost::system::error_code decode_boost_error_code(decoder& in);

} // namespace twat::mp::detail

#endif
