// SPDX-License-Identifier: BSL-1.0
#include "os/launcher.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The child shares the parent's memory until it runs the other program: no sanitizer may book its doings as the parent's.
#define TWAT_MP_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

#if defined(__GLIBC__)
// The same as clone, under a name that sanitizers do not intercept: the thread sanitizer takes each clone for a fork, and
// stops the program when the child shares its memory.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;
#define TWAT_MP_CLONE ::__clone
#else
#define TWAT_MP_CLONE ::clone
#endif

#include "os/own_program.hpp"

namespace twat::mp::detail {
namespace {

using boost::system::error_code;

constexpr int first_free = 6;
constexpr std::size_t kernel_mask_size = _NSIG / 8;
constexpr unsigned char zeros[256] = {}; // as a mask: nothing blocked

/// The kernel's, which is not libc's; larger than any.
struct kernel_sigaction
{
#if defined(__mips__)
    std::uint32_t flags = 0;
#endif
    std::uintptr_t handler = 0; // SIG_DFL
    unsigned char rest[240] = {};
};
constexpr kernel_sigaction default_action{};
constexpr kernel_sigaction ignoring_action{.handler = 1}; // SIG_IGN

/// All that the child needs, made before it exists: there it must not allocate.
struct plan
{
    const char* executable;
    char* const* arguments;
    char* const* environment;
    int null;
    int given[3];
    int error_output;
    signal_set ignored;
    volatile int error;
    volatile bool executed; ///< Came as far as that.
};

/// `environ` with `added`; pointers only.
std::vector<char*> make_environment(const std::vector<std::string>& added)
{
    const auto name = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
    std::vector<char*> all;
    for (char** entry = environ; entry && *entry; ++entry) {
        bool replaced = false;
        for (const auto& other : added)
            replaced = replaced || name(*entry) == name(other);
        if (!replaced)
            all.push_back(*entry);
    }
    for (const auto& entry : added)
        all.push_back(const_cast<char*>(entry.c_str()));
    all.push_back(nullptr);
    return all;
}

/// Kernels before 5.9 and some sandboxes have no close_range. Without allocation: tries every number up to the limit.
TWAT_MP_IN_CHILD void close_from(int first)
{
    if (::syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
    const long limit = ::sysconf(_SC_OPEN_MAX);
    const int end = limit < 0 || limit > (1 << 20) ? 1 << 20 : static_cast<int>(limit);
    for (int fd = first; fd < end; ++fd)
        ::syscall(SYS_close, fd);
}

/// Of a process that does not lead its session, only of this one.
TWAT_MP_IN_CHILD void give_up_terminal()
{
    const long tty = ::syscall(SYS_openat, AT_FDCWD, "/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (tty < 0)
        return; // There is none, mostly.
    ::syscall(SYS_ioctl, tty, TIOCNOTTY);
    ::syscall(SYS_close, tty);
}

TWAT_MP_IN_CHILD bool give(int from, int to) { return ::syscall(SYS_dup3, from, to, 0) >= 0; }

// Plain system calls only: for the others libc or a sanitizer may keep books in memory, which is the parent's.
TWAT_MP_IN_CHILD int run_child(void* argument)
{
    auto& p = *static_cast<plan*>(argument);
    // Before any signal can arrive: a handler of the parent's would run here, in the parent's memory. Ignored signals would
    // stay ignored in the other program.
    for (int signal = 1; signal < _NSIG; ++signal) {
        const auto& action = (p.ignored >> (signal - 1) & 1) != 0 ? ignoring_action : default_action;
        ::syscall(SYS_rt_sigaction, signal, &action, nullptr, kernel_mask_size);
    }
    ::syscall(SYS_setpgid, 0, 0);
    give_up_terminal();

    bool ok = give(p.null, 0);
    if (p.error_output >= 0)
        ok = ok && give(p.error_output, 2);
    // Closed, or something of the program's that came to have this number and will close: an epoll descriptor, say.
    for (int fd = 1; fd <= 2; ++fd)
        if (::syscall(SYS_fcntl, fd, F_GETFD, 0) != 0)
            ok = ok && give(p.null, fd);
    // The sources lie above all targets, so none is overwritten before its turn.
    for (int i = 0; i < 3; ++i)
        ok = ok && give(p.given[i] >= 0 ? p.given[i] : p.null, 3 + i);
    if (ok) {
        close_from(first_free);
        // Not the mask of the calling thread: launching threads block everything.
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, nullptr, kernel_mask_size);
        p.executed = true;
        ::syscall(SYS_execve, p.executable, p.arguments, p.environment);
    }
    p.error = errno;
    ::syscall(SYS_exit_group, 127);
    __builtin_unreachable();
}

/// All of them, also those that pthread_sigmask spares: libc's own handlers must not run in the child either.
class all_signals_blocked
{
public:
    all_signals_blocked()
    {
        unsigned char all[kernel_mask_size];
        for (auto& byte : all)
            byte = 0xff;
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, before_, kernel_mask_size);
    }
    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;
    ~all_signals_blocked() { ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, before_, nullptr, kernel_mask_size); }

private:
    unsigned char before_[kernel_mask_size];
};

} // namespace

launched launch(const launch_request& request, error_code& ec)
{
    ec = {};
    const auto null = open_null(ec);
    plan p{};
    unique_descriptor raised[4];
    for (int i = 0; i < 4 && !ec; ++i) {
        int& given = i < 3 ? p.given[i] : p.error_output;
        given = i < 3 ? request.descriptors[i].get() : request.error_output.get();
        if (given >= 0 && given < lowest_descriptor) {
            raised[i] = duplicate(given, ec);
            given = raised[i].get();
        }
    }
    if (!null)
        return {.failed_at = "/dev/null"};
    if (ec)
        return {.failed_at = "fcntl"};
    p.null = null.get();
    p.ignored = request.ignored;

    own_program program =
        request.executable.empty() ? find_own_program() : own_program{request.executable.string(), {}};
    const std::string& executable = program.executable;
    std::string title = request.title.empty() ? executable : request.title;
    std::vector<char*> arguments{title.data()};
    for (std::string& argument : program.arguments)
        arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const auto environment = make_environment(request.environment);
    p.executable = executable.c_str();
    p.arguments = arguments.data();
    p.environment = environment.data();

    // Like vfork: the calling thread waits and no page is copied, so a large parent starts children as fast as a small one. In
    // contrast to vfork the child has a stack of its own, and its pidfd is there from the start: nobody can reap the child, and its
    // pid cannot come to mean another process, between the start and an opening of the pidfd.
    constexpr std::size_t stack_size = 64 * 1024;
    const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_size);
    int pidfd = -1;
    int pid = 0;
    {
        all_signals_blocked blocked;
        pid = TWAT_MP_CLONE(run_child, stack.get() + stack_size, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &p,
                            &pidfd);
        if (pid < 0)
            ec = last_error();
    }
    if (ec)
        return {.failed_at = "clone"};
    if (pidfd < 0) { // A kernel before 5.2, which ignores the flag.
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        ec = {ENOSYS, boost::system::system_category()};
        return {.failed_at = "clone with CLONE_PIDFD"};
    }
    launched result{pid, unique_descriptor(pidfd), {}};
    if (p.error != 0) {
        // The child is past its memory, so past all that could take long: this wait is short. Its failure means that somebody
        // else has reaped the child.
        while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), nullptr, WEXITED) != 0 && errno == EINTR) {
        }
        ec = {p.error, boost::system::system_category()};
        return {.failed_at = p.executed ? executable : "dup3"};
    }
    if (pidfd < lowest_descriptor) {
        error_code no_room; // Then the low number has to do: giving up a child that runs would be worse.
        if (auto high = duplicate(pidfd, no_room))
            result.pidfd = std::move(high);
    }
    return result;
}

} // namespace twat::mp::detail
