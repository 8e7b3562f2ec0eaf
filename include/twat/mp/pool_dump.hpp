// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_POOL_DUMP_HPP
#define TWAT_MP_POOL_DUMP_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/stacktrace.hpp>

namespace twat::mp {

/// A task that a worker had begun when `dump` was called.
struct dumped_task
{
    std::uint64_t index = 0; ///< Its position in the input of the operation.
    std::string function{};  ///< The types of the function and of its parameters: the stack has the names.
    std::string label{};     ///< `call_options::label`; empty if there is none.
    /// When it began. Without a timeout this is when the chunk began of which it is a part, as tasks are then not timed. Empty if that is not known.
    std::optional<std::chrono::steady_clock::time_point> since{};
    bool suspended = false; ///< A coroutine that waits for something: the stack is not its own.
};

/// A worker that was busy when `dump` was called.
struct dumped_worker
{
    std::size_t index = 0;            ///< The node, as in `pool_event::index`.
    int pid = 0;                      ///< The process; on threads that of the program.
    int thread = 0;                   ///< The number of the thread that runs the tasks, as `gettid` has it.
    std::vector<dumped_task> tasks{}; ///< One, or the coroutines that share the worker.
    stacktrace stack{};               ///< What its thread does. If it is missing, `note()` gives the reason.
};

/** What the busy workers of a pool did at one moment: what `dump` completes with. Names are looked up already, so it can be printed on a loop. */
struct pool_dump
{
    std::chrono::system_clock::time_point when{}; ///< When it was asked for, for people.
    std::chrono::steady_clock::time_point at{};   ///< The same, to compare with `dumped_task::since`.
    std::vector<dumped_worker> workers{};         ///< Those that were busy, by index.

    /// A paragraph for each worker: who it is, its tasks, its stack.
    TWAT_MP_DECL std::string to_string() const;
};

/// Writes `dump.to_string()`.
TWAT_MP_DECL std::ostream& operator<<(std::ostream& to, const pool_dump& dump);

} // namespace twat::mp

#endif
