// SPDX-License-Identifier: BSL-1.0
#include "os/thread_stack.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>

#include <sys/syscall.h>
#include <unistd.h>

#include "os/futex.hpp"
#include "os/process_state.hpp"

namespace twat::mp::detail {
namespace {

enum progress : std::uint32_t {
    dropped, ///< Nobody wants the answer: who finds that writes nothing.
    asked,
    writing, ///< The thread is at it.
    answered,
};

/// Where a thread answers. Lives as long as its signal may be on its way.
struct request
{
    std::atomic<std::uint32_t> progress{dropped};
    thread_condition condition;
    bool holds = true;
    captured_stack stack;
};

/// The one that is under way; null: none. What a signal brings is believed only if it is this.
std::atomic<request*> current{nullptr};

void on_request(int, siginfo_t* info, void* context)
{
    const int error = errno;
    request* const asked_for = current.load(std::memory_order_acquire);
    if (asked_for && info->si_code == SI_QUEUE && info->si_value.sival_ptr == asked_for) {
        request& wanted = *asked_for;
        std::uint32_t before = asked;
        if (wanted.progress.compare_exchange_strong(before, writing, std::memory_order_acquire)) {
            wanted.holds = !wanted.condition.holds || wanted.condition.holds(wanted.condition.context);
            if (wanted.holds)
                capture_stack(wanted.stack, context);
            wanted.progress.store(answered, std::memory_order_release);
            wake_waiters(wanted.progress);
        }
    }
    errno = error;
}

bool is_ours(int signal) noexcept
{
    struct sigaction now
    {};
    return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
           now.sa_sigaction == on_request;
}

bool is_free(int signal) noexcept
{
    struct sigaction now
    {};
    return ::sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

/// The signal that asks; 0: there is none left. The program may have taken the last one for itself meanwhile.
int request_signal() noexcept
{
    static int chosen = 0;
    if (chosen != 0 && is_ours(chosen))
        return chosen;
    prepare_capture();
    for (int signal = SIGRTMAX; signal >= SIGRTMIN; --signal) {
        if (!is_free(signal))
            continue;
        struct sigaction action
        {};
        action.sa_sigaction = on_request;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
        ::sigemptyset(&action.sa_mask);
        if (::sigaction(signal, &action, nullptr) == 0)
            return chosen = signal;
    }
    return chosen = 0;
}

bool blocks(int thread, int signal)
{
    std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigBlk:"))
            return (std::strtoull(line.c_str() + 7, nullptr, 16) >> (signal - 1) & 1) != 0;
    return false;
}

bool send(int thread, int signal, request& wanted) noexcept
{
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = ::getpid();
    info.si_uid = ::getuid();
    info.si_value.sival_ptr = &wanted;
    return ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, signal, &info) == 0;
}

/// Whether the answer is there. If not, the request is dropped, and the thread does not come to it any more.
bool wait_for(request& wanted, std::chrono::nanoseconds patience) noexcept
{
    const auto limit = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const std::uint32_t now = wanted.progress.load(std::memory_order_acquire);
        if (now == answered)
            return true;
        const auto left = limit - std::chrono::steady_clock::now();
        std::uint32_t before = asked;
        if (left <= left.zero() && wanted.progress.compare_exchange_strong(before, dropped))
            return false;
        // One that writes is waited for: it may use what the condition refers to.
        wait_for_change(wanted.progress, now, std::max<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1)));
    }
}

std::string describe_silence(int thread, const std::string& otherwise)
{
    const std::string state = describe_thread_state(thread);
    return state.empty() ? otherwise : otherwise + ", and " + state;
}

} // namespace

thread_stack ask_thread(int thread, std::chrono::nanoseconds patience, thread_condition condition)
{
    static std::mutex& mutex = *new std::mutex; // never destroyed: whoever asks may do so while globals are
    // Threads that never answered: their signals are still on their way.
    static std::map<int, request*>& silent = *new std::map<int, request*>;

    std::lock_guard lock(mutex);
    thread_stack found;
    const int signal = request_signal();
    if (signal == 0) {
        found.why_not = "every real-time signal has a handler of the program";
        return found;
    }
    if (blocks(thread, signal)) {
        found.why_not = describe_silence(thread, "the thread blocks signal " + std::to_string(signal));
        return found;
    }
    const auto before = silent.find(thread);
    request* const wanted = before != silent.end() ? before->second : new request;
    wanted->condition = condition;
    wanted->progress.store(asked, std::memory_order_release);
    current.store(wanted, std::memory_order_release);
    if (!send(thread, signal, *wanted)) {
        found.why_not = "the thread is over";
        wanted->progress.store(dropped);
        current.store(nullptr);
        if (before == silent.end())
            delete wanted;
        return found;
    }
    const bool came = wait_for(*wanted, patience);
    current.store(nullptr);
    if (!came) {
        found.why_not = describe_silence(thread, "the thread did not answer in time");
        silent[thread] = wanted;
        return found;
    }
    found.holds = wanted->holds;
    if (found.holds) {
        const auto copy = std::make_shared<captured_stack>(wanted->stack);
        copy->make_sound();
        found.stack = copy;
    }
    if (before == silent.end())
        delete wanted;
    return found;
}

} // namespace twat::mp::detail
