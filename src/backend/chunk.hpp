// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BACKEND_CHUNK_HPP
#define TWAT_MP_SRC_BACKEND_CHUNK_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/payload.hpp>

#include "chaos/plan.hpp"

namespace twat::mp::detail {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// A worker: one life of a thread or child process. Never used again; 0 is none.
using worker_id = std::uint64_t;
using chunk_id = std::uint64_t;

/** Tasks sent to a worker together: `tasks->size()` neighbours of the input, from index `first` on.

    Made by the engine, which keeps it at one address until the worker has ended it. The backend reads it; only the engine
    changes it. Thread workers share its ownership, since they cannot be stopped from running it.
*/
struct chunk : std::enable_shared_from_this<chunk>
{
    chunk_id id = 0;
    std::shared_ptr<operation> op;
    std::uint64_t op_id = 0; ///< Tells operations apart on the wire; never used again.
    std::uint64_t first = 0; ///< Index of the first task.
    std::unique_ptr<payload> tasks;
    std::size_t count = 0; ///< Tasks in it when it was submitted.
    /// Processes: what `operation::encode_function` wrote. Sent to a worker with the operation's first chunk.
    std::shared_ptr<const attached_bytes> function;
    std::size_t attempt = 0;                 ///< How often a worker died in it before.
    std::size_t failures = 0;                ///< How often its only task threw before, and is tried again.
    std::size_t unexplained = 0;             ///< How often one died while it was suspended, and no task was on the CPU.
    bool coroutine = false;                  ///< Then `count` is 1.
    duration timeout{};                      ///< Of one task, from its start; zero: none.
    time_point deadline = time_point::max(); ///< Of the operation.
    std::uint64_t seed = 0;                  ///< `call_options::seed`.
    bool measured = false;                   ///< The worker tells what each task used.
    /// What happens to its tasks on purpose. (Worker processes have a plan of their own.)
    std::shared_ptr<const chaos_plan> chaos{};
    bool reports = false; ///< Somebody wants to know what its tasks report.
    bool copy = false;    ///< The second run of a task, see `call_options::hedge_after`.
};

} // namespace twat::mp::detail

#endif
