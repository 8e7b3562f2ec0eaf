// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_RUN_TIME_HPP
#define TWAT_MP_SRC_OS_RUN_TIME_HPP

#include <chrono>
#include <optional>

namespace twat::mp::detail {

/// Of the first thread of a process that sleeps at this moment: how long it has been on a CPU or waiting for one. Takes some 20 us. Nothing if it
/// does not sleep, or the system does not tell.
std::optional<std::chrono::nanoseconds> run_time_of_sleeper(int pid) noexcept;

} // namespace twat::mp::detail

#endif
