// SPDX-License-Identifier: BSL-1.0
#include "os/futex.hpp"

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace twat::mp::detail {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free &&
              sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

void wake_waiters(std::atomic<std::uint32_t>& word) noexcept
{
    ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void wait_for_change(const std::atomic<std::uint32_t>& word, std::uint32_t value,
                     std::chrono::nanoseconds longest) noexcept
{
    if (longest <= std::chrono::nanoseconds::zero())
        return;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(longest);
    const timespec time{static_cast<std::time_t>(seconds.count()), static_cast<long>((longest - seconds).count())};
    ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &time, nullptr, 0);
}

} // namespace twat::mp::detail
