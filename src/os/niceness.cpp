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
    const int now = ::getpriority(PRIO_PROCESS, thread); // -1 is also a niceness; an error reads the same, and then so does the call below
    ::setpriority(PRIO_PROCESS, thread, std::min(now + added, most));
}

} // namespace twat::mp::detail
