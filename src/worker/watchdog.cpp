// SPDX-License-Identifier: BSL-1.0
#include "worker/watchdog.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "os/own_process.hpp"
#include "start/worker_marker.hpp"

namespace twat::mp::detail {
namespace {

struct bell
{
    std::mutex mutex;
    std::function<void()> rung;
    bool waiting = false; ///< Was rung when there was nobody to tell.
    std::function<bool()> busy;
    std::atomic<std::uint64_t>* paused = nullptr;
};

/// Between two looks at the parent, in milliseconds.
constexpr int look_pause = 250;

bell& get_bell()
{
    static bell& the_bell = *new bell; // The thread outlives static destructors.
    return the_bell;
}

[[noreturn]] void end_process() noexcept
{
    // The worker leads a group: programs that a task runs end with it. Not when it was not made a leader: then the
    // group is somebody else's.
    if (::getpgrp() == ::getpid())
        ::kill(0, SIGKILL);
    ::_exit(0);
}

/// How long to wait for the next look at the parent; -1: for the next doorbell.
int look_at_parent() noexcept
{
    auto& from = get_bell();
    std::lock_guard lock(from.mutex);
    if (!from.busy || !from.busy())
        return -1;
    if (!is_stopped(::getppid())) {
        from.paused->store(0, std::memory_order_release);
        return look_pause;
    }
    from.paused->store(1, std::memory_order_release);
    ::kill(::getpgrp() == ::getpid() ? 0 : ::getpid(), SIGSTOP);
    return look_pause;
}

void watch(int socket, int doorbell) noexcept
{
    name_this_thread("watchdog");
    pollfd watched[2] = {{socket, 0, 0}, {doorbell, POLLIN, 0}};
    for (int pause = -1;;) {
        const int found = ::poll(watched, 2, pause);
        if (found < 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            end_process();
        }
        if (found == 0) {
            pause = look_at_parent();
            continue;
        }
        if (watched[0].revents & (POLLHUP | POLLERR | POLLNVAL))
            end_process();
        if (watched[1].revents & POLLIN) {
            std::uint64_t count = 0;
            if (::read(doorbell, &count, sizeof count) != static_cast<ssize_t>(sizeof count))
                continue;
            pause = look_pause;
            auto& to = get_bell();
            std::lock_guard lock(to.mutex);
            if (to.rung)
                to.rung();
            else
                to.waiting = true;
        } else if (watched[1].revents) {
            watched[1].fd = -1; // No doorbell, or a broken one: the hang-up is still watched for.
        }
    }
}

} // namespace

void watchdog::start(int socket, int doorbell) noexcept
{
    get_bell();
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread(watch, socket, doorbell).detach();
    }
    catch (...) {
        ::_exit(bad_start_exit_code); // A worker that nobody watches would outlive its parent.
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void watchdog::on_doorbell(std::function<void()> rung)
{
    auto& from = get_bell();
    std::lock_guard lock(from.mutex);
    from.rung = std::move(rung);
    if (std::exchange(from.waiting, false) && from.rung)
        from.rung();
}

void watchdog::pause_with_parent(std::function<bool()> busy, std::atomic<std::uint64_t>& paused)
{
    auto& from = get_bell();
    std::lock_guard lock(from.mutex);
    from.busy = std::move(busy);
    from.paused = &paused;
}

} // namespace twat::mp::detail
