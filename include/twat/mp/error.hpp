// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_ERROR_HPP
#define TWAT_MP_ERROR_HPP

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <type_traits>

#include <twat/mp/config.hpp>

namespace twat::mp {

/// Why an operation of this library failed. The category is `error_category()`, named "twat.mp".
enum class errc : int {
    /// The operation was asked for after `close()`.
    pool_closed = 1,
    /// The pool was terminated while the operation was outstanding.
    pool_terminated,
    /// More workers died outside of tasks than `pool_options::restarts` allows, or none can be started; the cause is nested. Calls fail at once
    /// until a worker that is tried again after a pause gets ready; see `pool_options::restarts`.
    pool_broken,
    /// More calls wait than `pool_options::max_pending` allows.
    queue_full,
    /// The worker process that ran the task ended; see `worker_died`.
    worker_died,
    /// A worker process could not be started, or did not answer in time.
    worker_start_failed,
    /// `pool_options::initializer` failed; its exception is nested.
    initializer_failed,
    /// The task ran longer than `call_options::timeout`.
    task_timed_out,
    /// The operation took longer than `call_options::deadline`.
    deadline_exceeded,
    /// No task of the operation began within `call_options::queue_timeout`; none of them ever runs.
    queue_timed_out,
    /// The task killed every worker that it was given to; the last `worker_died` is nested.
    task_quarantined,
    /// A blocking call was made where it could never return.
    would_deadlock,
    /// Pools inside workers inside pools, deeper than the library allows.
    nesting_too_deep,
    /// A value could not be turned into bytes.
    encode_failed,
    /// Bytes could not be turned into a value.
    decode_failed,
    /// An argument list or a result exceeds `pool_options::max_message_size`.
    message_too_large,
    /// The worker does not have the function that it was asked to call.
    unknown_function,
    /// The worker is another build of the program, or has loaded another build of a library that holds the function.
    build_mismatch,
    /// A worker sent malformed data.
    protocol_error,
    /// What `code_of` gives for an exception that has no error code.
    task_threw,
    /// Pools over several hosts: the host of the task is gone, and the task may have run; see `host_lost`.
    host_lost,
    /// Pools over several hosts: no agent of this build serves. The message counts those of other builds.
    no_agents,
    /// Pools over several hosts: the broker cannot be reached or used, for the reason that the message gives.
    broker_failed,
};

/// The category of `errc`, named "twat.mp".
TWAT_MP_DECL const boost::system::error_category& error_category() noexcept;

/// The code as a `boost::system::error_code`, to which it also converts by itself.
inline boost::system::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }

/** The exception that this library throws for what can happen in a healthy program.

    `code()` is an `errc`, or equal to one; `what()` says in words what was wrong and what to do about it. Cancellation is not one of these:
    it is `boost::asio::error::operation_aborted`.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const.
*/
class BOOST_SYMBOL_VISIBLE error : public boost::system::system_error
{
public:
    /// With the text of the code.
    explicit error(errc e) : system_error(make_error_code(e)) {}
    /// `what` describes the problem and how to fix it.
    error(errc e, const std::string& what) : system_error(make_error_code(e), what) {}
};

} // namespace twat::mp

template <>
struct boost::system::is_error_code_enum<twat::mp::errc> : std::true_type
{};

#endif
