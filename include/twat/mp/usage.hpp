// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_USAGE_HPP
#define TWAT_MP_USAGE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** What one task used: its bill; see `on_usage` of the handles that `with` returns, and `pool_options::measure_usage`.

    Measured in the worker, around the call of the function, by the system's own accounts of that thread. Of a coroutine task that is the time in which it
    was on the CPU, whichever others ran between; in `inline_pool` coroutine tasks have times alone. Of `reduce`, `filter` and `for_each` each part of the
    range is a task. A task whose worker died, or that ran out of time, has no bill; one that threw has. One that is run again has one for each run.
*/
struct usage
{
    std::uint64_t task_index = 0;           ///< Its position in the input.
    std::size_t worker = 0;                 ///< The node on which it ran, 0 to nodes-1.
    int pid = 0;                            ///< The worker's process; 0 for threads.
    std::chrono::nanoseconds user{};        ///< CPU time of the program's own code.
    std::chrono::nanoseconds system{};      ///< CPU time that the system spent for it.
    std::uint64_t minor_faults = 0;         ///< Pages that it touched for the first time, without input or output.
    std::uint64_t major_faults = 0;         ///< Pages that had to be read from a disk.
    std::uint64_t voluntary_switches = 0;   ///< How often it gave up the CPU to wait for something.
    std::uint64_t involuntary_switches = 0; ///< How often the CPU was taken from it.
    std::size_t peak_memory = 0;            ///< Resident bytes that its process had at most so far, in all its life.
    std::size_t memory_growth = 0; ///< By how much the task raised that; 0 if it fit into what earlier ones had used.
    std::uint64_t bytes_in = 0;    ///< Processes: its encoded arguments.
    std::uint64_t bytes_out = 0;   ///< Processes: its encoded result or exception.
    std::chrono::nanoseconds waited{}; ///< From the call of the operation until it began.
    std::chrono::nanoseconds ran{};    ///< From its begin to its end.

    /// All CPU time.
    std::chrono::nanoseconds cpu() const noexcept { return user + system; }
};

/** What all measured tasks of one label used together; see `pool_stats::labels`. */
struct label_stats
{
    /// `call_options::label`; empty: of operations without one, and of those beyond the first 256 labels.
    std::string label{};
    std::size_t tasks = 0;             ///< Those that were measured.
    std::chrono::nanoseconds user{};   ///< CPU time of the program's own code.
    std::chrono::nanoseconds system{}; ///< CPU time that the system spent for them.
};

} // namespace twat::mp

#endif
