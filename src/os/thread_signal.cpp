// SPDX-License-Identifier: BSL-1.0
#include "os/thread_signal.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace twat::mp::detail {

int this_thread_number() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

void signal_thread(int thread, int signal) noexcept { ::syscall(SYS_tgkill, ::getpid(), thread, signal); }

void signal_this_thread_again(int signal, siginfo_t* info) noexcept
{
    if (::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), this_thread_number(), signal, info) != 0)
        signal_thread(this_thread_number(), signal);
}

} // namespace twat::mp::detail
