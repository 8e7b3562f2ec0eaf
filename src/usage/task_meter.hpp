// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_USAGE_TASK_METER_HPP
#define TWAT_MP_SRC_USAGE_TASK_METER_HPP

#include <chrono>
#include <cstdint>

namespace twat::mp::detail {

/// What a task used, as its worker measured it. Travels as it is between a worker and its parent on one host.
struct task_usage
{
    std::int64_t begun = 0;                     ///< Nanoseconds of the steady clock.
    std::int64_t ran = 0, user = 0, system = 0; ///< Nanoseconds.
    std::uint64_t minor_faults = 0, major_faults = 0, voluntary_switches = 0, involuntary_switches = 0;
    std::uint64_t peak = 0, growth = 0; ///< Resident bytes.
    std::uint64_t bytes_in = 0, bytes_out = 0;
};

/** Measures what the calling thread uses between two moments, each of them a system call. */
class task_meter
{
public:
    /// The task begins; what was measured before is forgotten.
    void begin() noexcept;
    /// The same right behind the end of another, with what was read then: one system call for each task of a chunk.
    void begin_next() noexcept;
    /// It leaves the CPU for others of its thread, which costs it nothing; or comes back.
    void pause() noexcept;
    void resume() noexcept;
    /// It has ended.
    task_usage end() noexcept;

private:
    task_usage sum_;
    task_usage since_; ///< The thread's accounts when it was last resumed; `peak` too.
    bool running_ = false;
};

} // namespace twat::mp::detail

#endif
