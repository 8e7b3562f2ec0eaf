// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_STACK_ERROR_HPP
#define TWAT_MP_DETAIL_EXCEPTION_STACK_ERROR_HPP

#include <cstddef>
#include <exception>
#include <optional>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/parcel.hpp>
#include <twat/mp/stacktrace.hpp>

namespace twat::mp::detail {

/// As `make_error`, with what a worker does and the call, both of which may be empty.
TWAT_MP_DECL std::exception_ptr make_stack_error(errc code, const std::string& what,
                                                 std::optional<std::size_t> task_index, const stacktrace& stack,
                                                 const parcel& call = {}) noexcept;

} // namespace twat::mp::detail

#endif
