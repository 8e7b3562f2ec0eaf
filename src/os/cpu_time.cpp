// SPDX-License-Identifier: BSL-1.0
#include "os/cpu_time.hpp"

#include <time.h>

namespace twat::mp::detail {

std::optional<std::chrono::nanoseconds> cpu_time_of(int pid) noexcept
{
    ::clockid_t clock{};
    std::timespec time{};
    if (pid <= 0 || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
        return std::nullopt;
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

} // namespace twat::mp::detail
