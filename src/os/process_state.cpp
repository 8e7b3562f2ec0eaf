// SPDX-License-Identifier: BSL-1.0
#include "os/process_state.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/descriptor.hpp"

namespace twat::mp::detail {
namespace {

// Those in which a program may hang.
constexpr std::pair<long, const char*> known_calls[] = {
    {SYS_read, "read"},
    {SYS_write, "write"},
    {SYS_pread64, "pread64"},
    {SYS_pwrite64, "pwrite64"},
    {SYS_readv, "readv"},
    {SYS_writev, "writev"},
    {SYS_openat, "openat"},
    {SYS_close, "close"},
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_sync, "sync"},
    {SYS_flock, "flock"},
    {SYS_fcntl, "fcntl"},
    {SYS_ioctl, "ioctl"},
    {SYS_unlinkat, "unlinkat"},
    {SYS_mkdirat, "mkdirat"},
    {SYS_getdents64, "getdents64"},
    {SYS_statx, "statx"},
    {SYS_statfs, "statfs"},
    {SYS_mmap, "mmap"},
    {SYS_munmap, "munmap"},
    {SYS_msync, "msync"},
    {SYS_madvise, "madvise"},
    {SYS_connect, "connect"},
    {SYS_accept4, "accept4"},
    {SYS_sendto, "sendto"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_ppoll, "ppoll"},
    {SYS_pselect6, "pselect6"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_futex, "futex"},
    {SYS_rt_sigsuspend, "rt_sigsuspend"},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait"},
    {SYS_msgrcv, "msgrcv"},
    {SYS_mq_timedreceive, "mq_timedreceive"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
    {SYS_io_getevents, "io_getevents"},
    {SYS_execve, "execve"},
    {SYS_clone, "clone"},
    {SYS_exit_group, "exit_group"},
#if defined(SYS_open)
    {SYS_open, "open"},
    {SYS_stat, "stat"},
    {SYS_unlink, "unlink"},
    {SYS_rename, "rename"},
    {SYS_poll, "poll"},
    {SYS_select, "select"},
    {SYS_epoll_wait, "epoll_wait"},
    {SYS_vfork, "vfork"},
    {SYS_pause, "pause"},
#endif
};

std::string read_small(const std::string& path)
{
    const unique_descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return {};
    std::array<char, 512> bytes;
    const ssize_t n = ::read(fd.get(), bytes.data(), bytes.size());
    return n > 0 ? std::string(bytes.data(), static_cast<std::size_t>(n)) : std::string();
}

/// " in the system call fsync"; empty if it is in none, or this may not be known.
std::string describe_call(const std::string& folder)
{
    const std::string text = read_small(folder + "/syscall"); // "74 0x3 ..." or "running"
    char* end = nullptr;
    const long number = std::strtol(text.c_str(), &end, 10);
    if (end == text.c_str() || number < 0)
        return {};
    return " in the system call " + name_of_system_call(number);
}

/// Of what has this folder in /proc, and this parent.
std::string describe_state(const std::string& folder, pid_t parent)
{
    const std::string stat = read_small(folder + "/stat"); // "pid (name) state parent ..."
    const std::size_t behind_name = stat.rfind(") ");
    if (behind_name == stat.npos || behind_name + 4 >= stat.size() ||
        std::atoi(stat.c_str() + behind_name + 4) != parent)
        return {};
    switch (stat[behind_name + 2]) {
    case 'R': return "runs, or waits for a CPU";
    case 'S': return "sleeps" + describe_call(folder);
    case 'D': return "is in uninterruptible sleep" + describe_call(folder);
    case 'T': return "is stopped by a signal";
    case 't': return "is stopped by a debugger";
    case 'Z':
    case 'X': return "is dead";
    default: return {};
    }
}

} // namespace

std::string name_of_system_call(long number)
{
    const auto* const found = std::ranges::find(known_calls, number, [](const auto& call) { return call.first; });
    return found == std::end(known_calls) ? std::to_string(number) : found->second;
}

std::string describe_process_state(int pid) { return describe_state("/proc/" + std::to_string(pid), ::getpid()); }

std::string describe_thread_state(int thread)
{
    return describe_state("/proc/self/task/" + std::to_string(thread), ::getppid());
}

} // namespace twat::mp::detail
