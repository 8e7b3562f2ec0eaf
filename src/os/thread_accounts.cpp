// SPDX-License-Identifier: BSL-1.0
#include "os/thread_accounts.hpp"

#include "os/peak_memory.hpp"

#include <sys/resource.h>

namespace twat::mp::detail {
namespace {

std::int64_t nanoseconds(const timeval& t) noexcept
{
    return std::int64_t(t.tv_sec) * 1'000'000'000 + std::int64_t(t.tv_usec) * 1000;
}

} // namespace

thread_accounts read_thread_accounts() noexcept
{
    rusage read{};
    if (::getrusage(RUSAGE_THREAD, &read) != 0)
        return {};
    return {.user = nanoseconds(read.ru_utime),
            .system = nanoseconds(read.ru_stime),
            .minor_faults = static_cast<std::uint64_t>(read.ru_minflt),
            .major_faults = static_cast<std::uint64_t>(read.ru_majflt),
            .voluntary_switches = static_cast<std::uint64_t>(read.ru_nvcsw),
            .involuntary_switches = static_cast<std::uint64_t>(read.ru_nivcsw),
            .peak =
                own_peak_memory(static_cast<std::uint64_t>(read.ru_maxrss) * 1024)}; // of the process, in the same call
}

} // namespace twat::mp::detail
