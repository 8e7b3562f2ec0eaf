// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WORKER_HPP
#define TWAT_MP_WORKER_HPP

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <stop_token>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>

namespace twat::mp {

/** Turns this process into a worker if it was started as one; otherwise returns at once.

    The first statement of `main` in every program that uses process workers. In a worker it serves calls until told to stop
    and then ends the process, without returning.
*/
TWAT_MP_DECL void run_if_worker();
TWAT_MP_DECL void run_if_worker(int argc, char** argv);

/// About the worker that runs the calling task; for threads and for processes.
namespace this_worker {

/// Whether the caller runs inside a worker.
TWAT_MP_DECL bool is_worker() noexcept;
/// The worker's node, 0 to nodes-1, kept across restarts. @pre `is_worker()`
TWAT_MP_DECL std::size_t index() noexcept;
/// Of the worker's own io_context, on which coroutine tasks run. @pre `is_worker()`
TWAT_MP_DECL asio::any_io_executor executor();

} // namespace this_worker

/// About the task that the calling thread runs: a plain function, or the coroutine that was resumed last.
namespace this_task {

/// Tells when nobody waits for the task any more: cancelled, timed out, or its pool terminated. Outside a task: a token that
/// never stops. (A coroutine also receives Asio's cancellation.)
TWAT_MP_DECL std::stop_token stop_token() noexcept;
/// How long the task still has until its timeout or its operation's deadline; `duration::max()` if it has neither. Operations that it
/// starts on other pools have no longer than that.
TWAT_MP_DECL duration remaining() noexcept;

} // namespace this_task

} // namespace twat::mp

#endif
