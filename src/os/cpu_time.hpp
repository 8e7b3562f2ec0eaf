// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_CPU_TIME_HPP
#define TWAT_MP_SRC_OS_CPU_TIME_HPP

#include <chrono>
#include <optional>

namespace twat::mp::detail {

/// How long a process, with all its threads, has been on a CPU. Nothing if there is no such process. Elsewhere than on Linux: `proc_pidinfo`
/// on macOS, the clock of `clock_getcpuclockid` on FreeBSD too.
std::optional<std::chrono::nanoseconds> cpu_time_of(int pid) noexcept;

} // namespace twat::mp::detail

#endif
