// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_MARKER_HPP
#define TWAT_MP_SRC_START_MARKER_HPP

#include <twat/mp/config.hpp>

#include <cstddef>

#include "start/worker_marker.hpp"

namespace twat::mp::detail {

/// What this process is to the process that started it.
enum class worker_state {
    not_a_worker,
    marked,  ///< Started as a worker; `run_if_worker` was not called yet.
    entered, ///< Serves calls.
};

TWAT_MP_DECL worker_state get_worker_state() noexcept;

/// What the marker said. @pre Not `not_a_worker`.
const worker_marker& get_worker_marker() noexcept;

/// From `marked` to `entered`; whether it was `marked`.
bool enter_worker_state() noexcept;

/// Ends a process that was started as a worker and uses the library like a program proper: otherwise each of its workers would start
/// workers of its own, without end. To be called at the first use of any process pool.
TWAT_MP_DECL void exit_if_not_entered() noexcept;

/// 0 in a program proper, 1 in its workers, 2 in the workers of pools that they make. A worker that would be deeper than
/// `nesting_limit` is `errc::nesting_too_deep`.
std::size_t nesting_depth() noexcept;

} // namespace twat::mp::detail

#endif
