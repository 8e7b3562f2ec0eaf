// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_FAILURE_HPP
#define TWAT_MP_DETAIL_EXCEPTION_FAILURE_HPP

#include <exception>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

namespace twat::mp::detail {

/// Writes an exception of this process as a part of a result. @param input The arguments of the failed call as text; may be empty.
TWAT_MP_DECL void write_failure(encoder& out, const std::exception_ptr& error, const std::string& input);

/// Makes a fresh exception of what `write_failure` wrote, with the writer's pid attached.
TWAT_MP_DECL std::exception_ptr read_failure(decoder& in);

} // namespace twat::mp::detail

#endif
