// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_WORKER_HPP
#define TWAT_MP_WORKER_HPP

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include <twat/mp/config.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/philox.hpp>

namespace twat::mp {

/** Turns this process into a worker if it was started as one; otherwise returns at once.

    The first statement of `main` in every program that uses process workers. In a worker it serves calls until told to stop
    and then ends the process, without returning.

    With `--twat-mp-replay FILE` among the arguments it runs the call in that file (see `parcel`) in this process, and ends it with 0 if the task
    returned, 1 if it threw, 2 if it could not be run. With `--show` behind it the call is printed instead. Without parameters it reads the arguments
    from `/proc/self/cmdline`. A program that runs with more rights than the user who starts it (set-user-id) does not replay.
*/
TWAT_MP_DECL void run_if_worker();
TWAT_MP_DECL void run_if_worker(int argc, char** argv);

/// About the worker that runs the calling task; for threads and for processes.
namespace this_worker {

/// Whether the caller runs inside a worker.
TWAT_MP_DECL bool is_worker() noexcept;
/// The worker's node, 0 to nodes-1, kept across restarts. @pre `is_worker()`
TWAT_MP_DECL std::size_t index() noexcept;
/** Of the worker's own io_context, on which coroutine tasks run; it is there as long as the worker is.
    An inline pool has no worker of its own: there each call, and the initializer, has one that goes when it returns, and what was left there
    to run has 100 ms to end. @pre `is_worker()` */
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
/// The task's position in the input, from 0: of the element, of the row of `starmap`, the running number in a stream, 0 for `apply`. In `reduce`,
/// `filter` and `for_each` it is that of the element for which the function is called. Outside a task: 0.
TWAT_MP_DECL std::uint64_t index() noexcept;

/** Says how far the task is; see `progress::task`.

    `on_progress` is called with the task's index, the fraction and the text, within a tenth of a second. A report takes the place of an earlier one
    of the same task that was not read yet: a loop may report at every turn, which costs some 100 ns, wakes nobody and piles up nothing. Only the
    last 16 tasks of a worker that reported are told of in that time. Nothing happens where the operation has no `on_progress`, outside a task, and
    in threads that a task made.

    @param fraction Of the task that is done. Less than 0 counts as 0 and more than 1 as 1; what is no number counts as 0.
    @param text Whatever is to be shown. The first 208 bytes of it are, up to a whole UTF-8 character.

    @par Thread Safety
    Of the task that calls it.
*/
TWAT_MP_DECL void report(double fraction, std::string_view text = {});

/// `call_options::trace_parent` of the task's operation, for the spans that it makes and the requests that it sends; empty: it has none, or this
/// is no task.
TWAT_MP_DECL std::string trace_parent();

/** Random numbers of the task, which depend on `call_options::seed` and `index()` alone.

    They are the same on threads, on processes and in line, with any number of workers and any chunks. A task that is run again, after a death or by
    `call_options::retry`, gets the same numbers again. Each call in one task refers to the same generator, which goes on where it was: give it to
    the distributions of the standard library. Two operations with one seed have the same numbers, so give each its own.

    An operation that a task starts has the seed of its own options, and its tasks count from 0. For numbers that depend on the outer task too, make
    the seed of the inner operation from the outer generator, `pool.with({.seed = mp::this_task::rng()()})`.

    @par Object Lifetimes
    The reference is good until the task ends. A copy, `auto random = mp::this_task::rng()`, is independent.

    @par Errors
    `std::logic_error` outside a task, and in threads that a task made: make an `mp::philox4x32` there.

    @par Thread Safety
    Of the task that calls it. A coroutine has its generator wherever it is resumed.
*/
TWAT_MP_DECL philox4x32& rng();

} // namespace this_task

} // namespace twat::mp

#endif
