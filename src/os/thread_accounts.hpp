// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_THREAD_ACCOUNTS_HPP
#define TWAT_MP_SRC_OS_THREAD_ACCOUNTS_HPP

#include <cstdint>

namespace twat::mp::detail {

/** What the system has counted of the calling thread so far. */
struct thread_accounts
{
    std::int64_t user = 0, system = 0; ///< Nanoseconds on a CPU.
    std::uint64_t minor_faults = 0, major_faults = 0;
    std::uint64_t voluntary_switches = 0, involuntary_switches = 0;
    std::uint64_t peak = 0; ///< The largest resident size of the process, in bytes; 0: nothing could be read.
};

/// getrusage of a thread, which Linux and FreeBSD have; macOS would have to ask `thread_info`, and tell no switches.
thread_accounts read_thread_accounts() noexcept;

} // namespace twat::mp::detail

#endif
