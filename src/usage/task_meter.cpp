// SPDX-License-Identifier: BSL-1.0
#include "usage/task_meter.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace twat::mp::detail {
namespace {

std::int64_t nanoseconds(const timeval& t) noexcept
{
    return std::int64_t(t.tv_sec) * 1'000'000'000 + std::int64_t(t.tv_usec) * 1000;
}

std::int64_t now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

task_usage read() noexcept
{
    task_usage read;
    rusage accounts{};
    if (::getrusage(RUSAGE_THREAD, &accounts) != 0)
        return read;
    read.user = nanoseconds(accounts.ru_utime);
    read.system = nanoseconds(accounts.ru_stime);
    read.minor_faults = static_cast<std::uint64_t>(accounts.ru_minflt);
    read.major_faults = static_cast<std::uint64_t>(accounts.ru_majflt);
    read.voluntary_switches = static_cast<std::uint64_t>(accounts.ru_nvcsw);
    read.involuntary_switches = static_cast<std::uint64_t>(accounts.ru_nivcsw);
    read.peak = static_cast<std::uint64_t>(accounts.ru_maxrss) * 1024; // of the process, in the same call
    return read;
}

} // namespace

void task_meter::begin() noexcept
{
    sum_ = {};
    sum_.begun = now();
    running_ = false;
    resume();
}

void task_meter::begin_next() noexcept
{
    if (since_.peak == 0)
        return begin();
    sum_ = {};
    sum_.begun = now();
    running_ = true;
}

void task_meter::resume() noexcept
{
    if (running_)
        return;
    running_ = true;
    since_ = read();
}

void task_meter::pause() noexcept
{
    if (!running_)
        return;
    running_ = false;
    const task_usage at = read();
    // The system keeps user and system time apart by estimates that may run back a little.
    sum_.user += std::max<std::int64_t>(0, at.user - since_.user);
    sum_.system += std::max<std::int64_t>(0, at.system - since_.system);
    sum_.minor_faults += at.minor_faults - since_.minor_faults;
    sum_.major_faults += at.major_faults - since_.major_faults;
    sum_.voluntary_switches += at.voluntary_switches - since_.voluntary_switches;
    sum_.involuntary_switches += at.involuntary_switches - since_.involuntary_switches;
    sum_.growth += at.peak - std::min(at.peak, since_.peak);
    sum_.peak = at.peak;
    since_ = at;
}

task_usage task_meter::end() noexcept
{
    pause();
    sum_.ran = std::max<std::int64_t>(0, now() - sum_.begun);
    return sum_;
}

} // namespace twat::mp::detail
