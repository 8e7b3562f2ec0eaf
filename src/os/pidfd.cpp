// SPDX-License-Identifier: BSL-1.0
#include "os/pidfd.hpp"

#include <cerrno>
#include <csignal>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace twat::mp::detail {
namespace {

constexpr unsigned to_process_group = 1u << 2; // PIDFD_SIGNAL_PROCESS_GROUP, since Linux 6.9

bool send(int pidfd, int signal, unsigned flags) noexcept
{
    return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, flags) == 0;
}

} // namespace

child_state state_of_child(int pidfd) noexcept
{
    siginfo_t info{};
    int result = 0;
    do
        result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return child_state::reaped;
    return info.si_pid == 0 ? child_state::alive : child_state::over;
}

int stop_signal_of_child(int pidfd) noexcept
{
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WSTOPPED | WNOHANG | WNOWAIT) != 0 ||
        info.si_code != CLD_STOPPED)
        return 0;
    return info.si_status;
}

bool signal_child(int pidfd, int signal) noexcept { return send(pidfd, signal, 0); }

bool signal_group_of_child(int pidfd, int signal) noexcept { return send(pidfd, signal, to_process_group); }

void reap_child(int pidfd) noexcept
{
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), nullptr, WEXITED) != 0 && errno == EINTR) {
    }
}

int exit_signal_of(int status) noexcept { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

int exit_code_of(int status) noexcept { return WIFEXITED(status) ? WEXITSTATUS(status) : 0; }

// Glibc's waitid does not tell.
std::size_t peak_rss_of_child(int pidfd) noexcept
{
    siginfo_t info{};
    rusage usage{};
    if (::syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG | WNOWAIT, &usage) != 0 || info.si_pid == 0)
        return 0;
    return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

std::size_t own_peak_rss() noexcept
{
    rusage usage{};
    return ::getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::size_t>(usage.ru_maxrss) * 1024 : 0;
}

} // namespace twat::mp::detail
