// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TRACE_EVENT_HPP
#define TWAT_MP_TRACE_EVENT_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <twat/mp/config.hpp>
#include <twat/mp/tenant.hpp>
#include <twat/mp/trace_context.hpp>
#include <twat/mp/usage.hpp>

namespace twat::mp {

/// How a chunk or an operation ended.
enum class trace_outcome {
    done,      ///< Every task with a value.
    failed,    ///< A task threw, or its result could not be read.
    timed_out, ///< A task ran longer than `call_options::timeout`.
    died,      ///< The worker died in it.
    cancelled, ///< Cancelled, past its deadline, or no longer wanted.
};

/** A step in the life of a pool's work, passed to `pool_options::on_trace`.

    An operation is added, its tasks go to the workers in chunks, each chunk begins and ends, and the operation ends. A worker runs the
    chunks of plain functions one after the other; those of coroutine tasks, which have one task each, overlap. What began also ends,
    unless the pool object is destroyed meanwhile.
*/
struct trace_event
{
    /// What happened, and which members tell about it; `what` is one of these.
    enum kind {
        worker_ready, ///< `worker`, `pid`: it takes tasks.
        /// `worker`, `pid`: it takes no more tasks; the end of what it ran was reported before. `outcome`: `died`, or `done`.
        worker_gone,
        operation_added, ///< `operation`, `label`, `count` (0 if not known): waits for a worker.
        operation_ended, ///< The same, `took`, `outcome`; `count` and `failed` are of the tasks that have an outcome.
        /// All but `failed`, `took` and `outcome`: its worker has come to it. Pools over several hosts: one of these has taken it.
        chunk_begun,
        chunk_ended, ///< All. Fewer tasks than began, if others took some over.
        /// `used`, and what `chunk_begun` tells, with `first` the task's index: what a measured task used.
        task_used,
    } what;
    /// Of the end of a chunk: when its worker was done with it. Otherwise when the pool saw it.
    std::chrono::steady_clock::time_point when{};
    std::size_t worker =
        0; ///< The node, 0 to nodes-1; kept across restarts. Where `host` is set: the number of a worker there, from 0.
    int pid = 0;                 ///< The worker's process; 0 for threads.
    std::uint64_t operation = 0; ///< Number of the operation in its pool, from 1.
    std::uint64_t chunk = 0;     ///< Number of the chunk in its pool, from 1.
    std::uint64_t first = 0;     ///< Task index of the chunk's first task.
    std::size_t count = 0;       ///< Tasks.
    std::size_t failed = 0;      ///< Those of them whose outcome is an error.
    /// From begin to end; of a chunk by its worker's clock, so that it began at `when - took`.
    std::chrono::nanoseconds took{};
    trace_outcome outcome = trace_outcome::done; ///< How it ended.
    bool coroutine = false;                      ///< Its tasks are coroutines: chunks of one worker overlap.
    bool copy = false;            ///< Of a chunk: the second run of a task, see `call_options::hedge_after`.
    const char* label = nullptr;  ///< `call_options::label`.
    trace_context trace_parent{}; ///< `call_options::trace_parent`.
    const usage* used = nullptr;  ///< Of a task; good during the call.
    tenant_id tenant{};           ///< `call_options::tenant`, of operations, chunks and tasks.
    /// Of chunks of pools over several hosts: which one runs it, as its agent calls it. Otherwise null. Good during the call.
    const char* host = nullptr;
};

} // namespace twat::mp

#endif
