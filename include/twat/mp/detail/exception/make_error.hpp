// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_MAKE_ERROR_HPP
#define TWAT_MP_DETAIL_EXCEPTION_MAKE_ERROR_HPP

#include <cstddef>
#include <exception>
#include <optional>
#include <string>

#include <twat/mp/config.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/worker_died.hpp>

namespace twat::mp::detail {

// Each makes a fresh exception, which `boost::get_error_info` can ask. Where memory lacks they make a `std::bad_alloc`.

/// An `mp::error`; an empty `what` leaves it to the code's message.
TWAT_MP_DECL std::exception_ptr make_error(errc code, const std::string& what = {}) noexcept;

/// The same, for a task of the input.
TWAT_MP_DECL std::exception_ptr make_error(errc code, const std::string& what, std::size_t task_index) noexcept;

/// The same, nesting `cause`, as `std::rethrow_if_nested` finds it. Without a cause (null) it is `make_error`.
TWAT_MP_DECL std::exception_ptr make_nested(errc code, const std::string& what, const std::exception_ptr& cause,
                                            std::optional<std::size_t> task_index = {}) noexcept;

/// An `mp::error` about a worker process that failed to start. @param stderr_tail What it wrote, if that was captured. @param stack Where it crashed.
TWAT_MP_DECL std::exception_ptr make_start_error(errc code, const std::string& what, int pid, life_phase phase,
                                                 const std::string& stderr_tail, const stacktrace& stack = {}) noexcept;

/// A `worker_died`. @param input The task's arguments as text; may be empty.
TWAT_MP_DECL std::exception_ptr make_worker_died(int pid, worker_died::exit_status status,
                                                 std::optional<std::size_t> task_index = {},
                                                 const std::string& note = {}, const std::string& input = {},
                                                 const worker_died::circumstances& last = {}) noexcept;

} // namespace twat::mp::detail

#endif
