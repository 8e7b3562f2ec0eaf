// SPDX-License-Identifier: BSL-1.0
#include "chaos/faults.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace twat::mp::detail {

void sleep_unless(std::chrono::nanoseconds time, const std::function<bool()>& stop)
{
    constexpr std::chrono::nanoseconds step = std::chrono::milliseconds(2);
    while (time > time.zero() && !stop()) {
        const auto next = std::min(time, step);
        std::this_thread::sleep_for(next);
        time -= next;
    }
}

void kill_self() noexcept
{
    ::kill(::getpid(), SIGKILL);
    std::_Exit(EXIT_FAILURE); // not reached: the signal cannot be held off
}

void kill_self_after(std::chrono::nanoseconds time) noexcept
{
    // A timer of the system and not a thread: the task may hold any lock, and its process may be at any limit.
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    timer_t timer{};
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
        return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    itimerspec when{};
    when.it_value.tv_sec = seconds.count();
    when.it_value.tv_nsec = std::max<long>(1, (time - seconds).count()); // zero would switch it off
    ::timer_settime(timer, 0, &when, nullptr);
}

void before_task(const task_fate& fate) noexcept
{
    if (fate.kill == kill_moment::before)
        kill_self();
    if (fate.kill == kill_moment::during)
        kill_self_after(fate.after);
}

void after_task(const task_fate& fate, const std::function<bool()>& stop)
{
    if (fate.kill != kill_moment::never)
        kill_self();
    sleep_unless(fate.late, stop);
}

} // namespace twat::mp::detail
