// SPDX-License-Identifier: BSL-1.0
// What tests start as a child: one behaviour for each value of CHILD_MODE. Without one it is a worker, or does nothing.
#include <twat/mp/worker.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sanitizers.hpp"
#include "start/worker_marker.hpp"
#include "start/marker.hpp"
#include "worker/watchdog.hpp"

using namespace twat::mp::detail;

namespace {

/// To whoever listens at the other end of descriptor 3.
void say(std::string_view text) { [[maybe_unused]] auto written = ::write(worker_socket, text.data(), text.size()); }

/// Until the test hangs up, so that a failed one leaves nothing behind.
[[noreturn]] void sleep_for_ever()
{
    pollfd test{worker_socket, 0, 0};
    while (::poll(&test, 1, -1) < 0) {
    }
    ::_exit(0);
}

std::string open_descriptors()
{
    std::string found;
    DIR* folder = ::opendir("/proc/self/fd");
    for (const dirent* entry = ::readdir(folder); entry; entry = ::readdir(folder)) {
        const std::string name = entry->d_name;
        if (name[0] != '.' && std::atoi(name.c_str()) != ::dirfd(folder))
            found += name + " ";
    }
    ::closedir(folder);
    return found;
}

std::string target(int fd)
{
    char path[256];
    const auto length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    return length < 0 ? "closed" : std::string(path, static_cast<std::size_t>(length));
}

/// Signals that are blocked or whose action is not the default.
std::string unusual_signals()
{
    std::string found;
    sigset_t blocked;
    ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction action = {};
        ::sigaction(number, nullptr, &action);
        if (::sigismember(&blocked, number) == 1)
            found += "blocked:" + std::to_string(number) + " ";
#if TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN
        if (number == SIGBUS || number == SIGFPE || number == SIGSEGV)
            continue; // The sanitizer's, installed behind the launch.
#endif
        if (action.sa_handler != SIG_DFL)
            found += "handled:" + std::to_string(number) + " ";
    }
    return found;
}

int run(const std::string& mode, const char* title)
{
    if (mode == "echo") { // Ends when the other end does.
        char text[256];
        for (ssize_t n; (n = ::read(worker_socket, text, sizeof text)) > 0;)
            say({text, static_cast<std::size_t>(n)});
        return 0;
    }
    if (mode == "descriptors")
        return say(open_descriptors()), 0;
    if (mode == "standard")
        return say(target(0) + " " + target(1) + " " + target(2)), 0;
    if (mode == "signals")
        return say(unusual_signals()), 0;
    if (mode == "group")
        return say(::getpgrp() == ::getpid() ? "own" : "shared"), 0;
    if (mode == "title")
        return say(title), 0;
    if (mode == "environment")
        return say(std::getenv("CHILD_VALUE") ? std::getenv("CHILD_VALUE") : "unset"), 0;
    if (mode == "exit-code")
        return 42;
    if (mode == "abort")
        std::abort();
    if (mode == "sleep")
        return say("."), sleep_for_ever(), 0;
    if (mode == "ignore-sigterm")
        return ::signal(SIGTERM, SIG_IGN), say("."), sleep_for_ever(), 0;
    if (mode == "grandchild") { // Leaves one behind that holds descriptor 3, and goes when told to.
        if (::fork() == 0)
            sleep_for_ever();
        say(".");
        char c;
        return ::read(worker_socket, &c, 1) == 1 ? 7 : 8;
    }
    if (mode == "grandchild-sleep") {
        if (::fork() == 0)
            sleep_for_ever();
        return say("."), sleep_for_ever(), 0;
    }
    if (mode == "watched") { // Busy, with every signal blocked: only the watchdog can end it.
        watchdog::start(worker_socket, worker_doorbell);
        watchdog::on_doorbell([] { say("rung "); });
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        say("busy ");
        for (std::atomic<unsigned> i = 0;;)
            ++i;
    }
    if (mode == "watched-grandchild") {
        if (::fork() != 0) {
            watchdog::start(worker_socket, worker_doorbell);
            say(".");
        }
        ::alarm(60); // Neither heeds the socket itself; if all else fails, this ends them.
        for (;;)
            ::pause();
    }
    if (mode == "marker") {
        std::string text = std::getenv(worker_marker_name) ? "set " : "unset ";
        text += get_worker_state() == worker_state::marked ? "marked " : "other ";
        text += std::to_string(nesting_depth()) + " " + std::to_string(get_worker_marker().index);
        for (int fd : {worker_socket, worker_page, worker_doorbell})
            text += ::fcntl(fd, F_GETFD) == FD_CLOEXEC ? " cloexec" : " inherited";
        return say(text), 0;
    }
    if (mode == "not-entered")
        return exit_if_not_entered(), 0;
    return 99;
}

} // namespace

int main(int argc, char** argv)
{
    if (const char* mode = std::getenv("CHILD_MODE"))
        return run(mode, argv[0]);
    twat::mp::run_if_worker(argc, argv);
    return 3;
}
