// SPDX-License-Identifier: BSL-1.0
#include "os/niceness.hpp"

#include <algorithm>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace twat::mp::detail {

void add_niceness(int added) noexcept
{
    if (added <= 0)
        return;
    constexpr int most = 19;
    // By its number: what POSIX calls the process, and other systems renice as a whole.
    const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
    // -1 is also a niceness; an error reads the same, and then so does the call below
    const int now = ::getpriority(PRIO_PROCESS, thread);
    ::setpriority(PRIO_PROCESS, thread, std::min(now + added, most));
}

int niceness_of_workers(int asked, bool beside_a_loop) noexcept
{
    // So that a loop on a busy processor need not wait for the end of their time slices (2.8 ms at p99; 0.3 to 0.5 with this).
    constexpr int beside = 10;
    if (asked != -1)
        return asked;
    return beside_a_loop ? beside : 0;
}

} // namespace twat::mp::detail
