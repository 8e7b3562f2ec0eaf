// SPDX-License-Identifier: BSL-1.0
#include "worker/crash_report.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <optional>
#include <utility>

#include <unistd.h>

#include <twat/mp/error.hpp>

#include "os/captured_stack.hpp"
#include "os/futex.hpp"
#include "os/mapping.hpp"
#include "os/thread_signal.hpp"
#include "shm/shared_page.hpp"
#include "shm/stack_area.hpp"

namespace twat::mp::detail {
namespace {

constexpr int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
/// How long a thread that crashes beside another one lets that one write its stack.
constexpr int patience_ms = 100;

/// What the handlers use. Set before they are installed.
struct state
{
    stack_words* words = nullptr;
    pid_t process = 0, task_thread = 0;
    int ask_signal = 0;
    std::atomic<pid_t> owner{0}; ///< The thread that crashed first.
    std::atomic<bool> written{false};
    bool finishing = false; ///< The owner crashed once more.
    int signal = 0;         ///< Of that one, and what came with it.
    siginfo_t info{};
};

state the_state;

/// Has the process end as it would have without a handler: when the handler returns, or at once.
void die_of(int signal, siginfo_t* info, bool at_once) noexcept
{
    struct sigaction by_default
    {};
    by_default.sa_handler = SIG_DFL;
    ::sigaction(signal, &by_default, nullptr);
    signal_this_thread_again(signal, info);
    if (!at_once)
        return;
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
}

/// While it lives, the thread's own access to memory that is not there ends in the handler, and not in the end of the process at once.
class nested_crashes
{
public:
    nested_crashes() noexcept
    {
        sigset_t memory;
        ::sigemptyset(&memory);
        ::sigaddset(&memory, SIGSEGV);
        ::sigaddset(&memory, SIGBUS);
        ::pthread_sigmask(SIG_UNBLOCK, &memory, &before_);
    }
    nested_crashes(const nested_crashes&) = delete;
    nested_crashes& operator=(const nested_crashes&) = delete;
    ~nested_crashes() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

void wait_for_the_other() noexcept
{
    const timespec millisecond{0, 1'000'000};
    for (int i = 0; i < patience_ms && !the_state.written.load(std::memory_order_acquire); ++i)
        ::nanosleep(&millisecond, nullptr);
}

void on_crash(int signal, siginfo_t* info, void* context)
{
    const int error = errno;
    state& s = the_state;
    if (::getpid() == s.process) { // and not a copy of the worker, which has its memory
        pid_t owner = 0;
        if (s.owner.compare_exchange_strong(owner, this_thread_number())) {
            s.signal = signal;
            s.info = *info;
            s.words->crash_code = info->si_code;
            s.words->crash_address = reinterpret_cast<std::uintptr_t>(info->si_addr);
            {
                const nested_crashes allowed;
                capture_stack(s.words->crash, context);
            }
            s.words->crashed.store(static_cast<std::uint32_t>(signal), std::memory_order_release);
            s.written.store(true, std::memory_order_release);
        } else if (owner == this_thread_number()) { // the stack could not be read; its frames so far are there
            if (!std::exchange(s.finishing, true))
                finish_capture(s.words->crash);
            s.words->crashed.store(static_cast<std::uint32_t>(s.signal), std::memory_order_release);
            return die_of(s.signal, &s.info, true);
        } else
            wait_for_the_other();
    }
    die_of(signal, info, false);
    errno = error;
}

void on_request(int, siginfo_t*, void* context)
{
    const int error = errno;
    state& s = the_state;
    if (::getpid() == s.process) {
        if (this_thread_number() != s.task_thread) // a signal to the process goes to any thread
            signal_thread(s.task_thread, s.ask_signal);
        else {
            const std::uint32_t number = s.words->asked.load(std::memory_order_acquire);
            capture_stack(s.words->answer, context);
            s.words->answered.store(number, std::memory_order_release);
            wake_waiters(s.words->answered);
        }
    }
    errno = error;
}

bool has_default_action(int signal) noexcept
{
    struct sigaction now
    {};
    return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

bool handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags) noexcept
{
    struct sigaction action
    {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(signal, &action, nullptr) == 0;
}

/// For this thread, with a page before it that nobody may touch.
void make_alternate_stack() noexcept
{
    stack_t now{};
    if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0)
        return;
    const auto guard = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    // With the registers of some processors, the kernel's own part of it is large.
    const std::size_t size = std::max<std::size_t>(
        std::size_t(64) << 10, 4 * static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_MINSIGSTKSZ))));
    std::byte* const at = map_stack(guard + size);
    if (!at)
        return;
    stack_t made{};
    made.ss_sp = at + guard;
    made.ss_size = size;
    if (!set_access(at + guard, size, memory_access::read_write) || ::sigaltstack(&made, nullptr) != 0)
        unmap_memory(at, guard + size);
}

std::optional<page_layout> layout_of(int page) noexcept
{
    try {
        return shared_page::layout_of(page);
    }
    catch (const error&) {
        return std::nullopt; // the server says so
    }
}

} // namespace

void crash_report::install(int page) noexcept
{
    const auto layout = layout_of(page);
    if (!layout)
        return;
    static stack_area area(page, *layout);
    if (!area)
        return;
    the_state.words = &*area;
    the_state.process = ::getpid();
    the_state.task_thread = this_thread_number();
    prepare_capture();
    make_alternate_stack();
    for (const int signal : crash_signals)
        if (has_default_action(signal))
            handle(signal, on_crash, 0);
    for (int signal = SIGRTMAX; signal >= SIGRTMIN; --signal)
        if (has_default_action(signal)) {
            the_state.ask_signal = signal;
            if (handle(signal, on_request, SA_RESTART))
                area->signal.store(static_cast<std::uint32_t>(signal), std::memory_order_release);
            break;
        }
}

} // namespace twat::mp::detail
