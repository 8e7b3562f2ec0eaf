// SPDX-License-Identifier: BSL-1.0
// Preloaded into a program, lets one of its system calls fail, or come short, as its environment says:
//
//   TWAT_MP_SHIM="<side> <call> <n> <what>"   side: host or worker; n: the n-th call of each process of that side, 0: every one;
//                                             what: an errno, "short" (one byte) or "swallow" (success, and nothing is done)
//   TWAT_MP_SHIM_TOKEN=<file>                 is made when a call was hit
//   TWAT_MP_SHIM_ONCE=1                       the first process only
//
// A program may ask for `twat_mp_shim_hits` and set `twat_mp_shim_armed`, by dlsym.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "start/worker_marker.hpp"

extern "C" {
std::atomic<long> twat_mp_shim_hits{0};
std::atomic<bool> twat_mp_shim_armed{true};
}

namespace {

enum class effect { none, fail, shorten, swallow };

// Set once, before main. The child of a launch shares this memory and calls in here: nothing below may allocate.
char call_name[32];
long wanted = 0;
int error = 0;
effect what = effect::none;
char token[256];
bool once = false;
std::atomic<long> calls{0};

template <class F>
F next(const char* name)
{
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

/// What happens to this call.
effect strike(const char* name)
{
    if (what == effect::none || std::strcmp(name, call_name) != 0 ||
        !twat_mp_shim_armed.load(std::memory_order_relaxed))
        return effect::none;
    const long n = ++calls;
    if (wanted != 0 && n != wanted)
        return effect::none;
    const int saved = errno;
    const long fd = ::syscall(SYS_openat, AT_FDCWD, token, O_WRONLY | O_CREAT | O_CLOEXEC | (once ? O_EXCL : 0), 0600);
    if (fd >= 0)
        ::syscall(SYS_close, fd);
    errno = saved;
    if (fd < 0 && once && wanted != 0)
        return effect::none;
    ++twat_mp_shim_hits;
    if (what == effect::fail)
        errno = error;
    return what;
}

#define REAL(name) static const auto real = next<decltype(&::name)>(#name)

[[gnu::constructor]] void read_environment()
{
    const char* const text = std::getenv("TWAT_MP_SHIM");
    const char* const file = std::getenv("TWAT_MP_SHIM_TOKEN");
    char side[16], kind[16];
    if (!text || !file || std::sscanf(text, "%15s %31s %ld %15s", side, call_name, &wanted, kind) != 4)
        return;
    const bool is_worker = std::getenv(twat::mp::detail::worker_marker_name) != nullptr;
    if (is_worker != (std::strcmp(side, "worker") == 0))
        return;
    std::snprintf(token, sizeof token, "%s", file);
    once = std::getenv("TWAT_MP_SHIM_ONCE") != nullptr;
    error = std::atoi(kind);
    what = std::strcmp(kind, "short") == 0     ? effect::shorten
           : std::strcmp(kind, "swallow") == 0 ? effect::swallow
                                               : effect::fail;
}

} // namespace

extern "C" {

int socketpair(int domain, int type, int protocol, int* ends) noexcept
{
    REAL(socketpair);
    return strike("socketpair") == effect::fail ? -1 : real(domain, type, protocol, ends);
}

int memfd_create(const char* name, unsigned flags) noexcept
{
    REAL(memfd_create);
    return strike("memfd_create") == effect::fail ? -1 : real(name, flags);
}

int ftruncate(int fd, off_t length) noexcept
{
    REAL(ftruncate);
    return strike("ftruncate") == effect::fail ? -1 : real(fd, length);
}

void* mmap(void* at, size_t length, int protection, int flags, int fd, off_t offset) noexcept
{
    REAL(mmap);
    return (flags & MAP_SHARED) != 0 && strike("mmap") == effect::fail
               ? MAP_FAILED
               : real(at, length, protection, flags, fd, offset);
}

int fcntl(int fd, int command, ...)
{
    REAL(fcntl);
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return strike("fcntl") == effect::fail ? -1 : real(fd, command, argument);
}

int open(const char* path, int flags, ...)
{
    REAL(open);
    va_list arguments;
    va_start(arguments, flags);
    const int mode = va_arg(arguments, int);
    va_end(arguments);
    return strike("open") == effect::fail ? -1 : real(path, flags, mode);
}

int eventfd(unsigned value, int flags) noexcept
{
    REAL(eventfd);
    return strike("eventfd") == effect::fail ? -1 : real(value, flags);
}

int epoll_create1(int flags) noexcept
{
    REAL(epoll_create1);
    return strike("epoll_create1") == effect::fail ? -1 : real(flags);
}

int timerfd_create(int clock, int flags) noexcept
{
    REAL(timerfd_create);
    return strike("timerfd_create") == effect::fail ? -1 : real(clock, flags);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept
{
    REAL(epoll_ctl);
    // Removal cannot fail for want of anything. And what a reactor of Asio's adds for itself, when it is made, is added or not: nobody
    // asks, and a context without it sleeps for ever. It has no EPOLLHUP.
    const bool counts = operation != EPOLL_CTL_DEL && (event->events & EPOLLHUP) != 0;
    return counts && strike("epoll_ctl") == effect::fail ? -1 : real(epoll, operation, fd, event);
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout)
{
    REAL(epoll_wait);
    return strike("epoll_wait") == effect::fail ? -1 : real(epoll, events, most, timeout);
}

int poll(pollfd* watched, nfds_t n, int timeout)
{
    REAL(poll);
    return strike("poll") == effect::fail ? -1 : real(watched, n, timeout);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags)
{
    REAL(sendmsg);
    switch (strike("sendmsg")) {
    case effect::fail: return -1;
    case effect::shorten:
        for (size_t i = 0; i != message->msg_iovlen; ++i)
            if (message->msg_iov[i].iov_len != 0)
                return ::send(fd, message->msg_iov[i].iov_base, 1, flags);
        [[fallthrough]];
    default: return real(fd, message, flags);
    }
}

ssize_t recv(int fd, void* to, size_t n, int flags)
{
    REAL(recv);
    switch (strike("recv")) {
    case effect::fail: return -1;
    case effect::shorten: return real(fd, to, n == 0 ? 0 : 1, flags);
    default: return real(fd, to, n, flags);
    }
}

ssize_t read(int fd, void* to, size_t n)
{
    REAL(read);
    return strike("read") == effect::fail ? -1 : real(fd, to, n);
}

ssize_t pread(int fd, void* to, size_t n, off_t at)
{
    REAL(pread);
    switch (strike("pread")) {
    case effect::fail: return -1;
    case effect::shorten: return real(fd, to, n == 0 ? 0 : 1, at);
    default: return real(fd, to, n, at);
    }
}

int waitid(idtype_t type, id_t id, siginfo_t* info, int options)
{
    REAL(waitid);
    return strike("waitid") == effect::fail ? -1 : real(type, id, info, options);
}

pid_t waitpid(pid_t pid, int* status, int options)
{
    REAL(waitpid);
    return strike("waitpid") == effect::fail ? -1 : real(pid, status, options);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept
{
    REAL(pthread_create);
    return strike("pthread_create") == effect::fail ? error : real(thread, attributes, run, argument);
}

// Of the launcher: in the parent, and in the child before it is another program.
int __clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept;
int __clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept
{
    REAL(__clone);
    va_list arguments;
    va_start(arguments, argument);
    void* const parent_tid = va_arg(arguments, void*);
    va_end(arguments);
    return strike("clone") == effect::fail ? -1 : real(run, stack, flags, argument, parent_tid, nullptr, nullptr);
}

long syscall(long number, ...) noexcept
{
    static const auto real = next<long (*)(long, ...)>("syscall");
    va_list arguments;
    va_start(arguments, number);
    long a[6];
    for (long& one : a)
        one = va_arg(arguments, long);
    va_end(arguments);
    effect now = effect::none;
    if (number == SYS_execve)
        now = strike("execve");
    else if (number == SYS_dup3)
        now = strike("dup3");
    else if (number == SYS_close_range)
        now = strike("close_range");
    else if (number == SYS_pidfd_send_signal && a[1] == SIGKILL)
        now = strike("sigkill");
    if (now == effect::fail)
        return -1;
    if (now == effect::swallow)
        return 0;
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

} // extern "C"
