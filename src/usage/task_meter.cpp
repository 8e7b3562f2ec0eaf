// SPDX-License-Identifier: BSL-1.0
#include "usage/task_meter.hpp"

#include <algorithm>

#include "os/thread_accounts.hpp"

namespace twat::mp::detail {
namespace {

std::int64_t now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

task_usage read() noexcept
{
    const thread_accounts accounts = read_thread_accounts();
    task_usage read;
    read.user = accounts.user;
    read.system = accounts.system;
    read.minor_faults = accounts.minor_faults;
    read.major_faults = accounts.major_faults;
    read.voluntary_switches = accounts.voluntary_switches;
    read.involuntary_switches = accounts.involuntary_switches;
    read.peak = accounts.peak;
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
