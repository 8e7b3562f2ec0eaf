// SPDX-License-Identifier: BSL-1.0
#include "worker/watchdog.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "start/worker_marker.hpp"

namespace twat::mp::detail {
namespace {

struct bell
{
    std::mutex mutex;
    std::function<void()> rung;
    bool waiting = false; ///< Was rung when there was nobody to tell.
};

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

void watch(int socket, int doorbell) noexcept
{
    ::prctl(PR_SET_NAME, "watchdog");
    pollfd watched[2] = {{socket, 0, 0}, {doorbell, POLLIN, 0}};
    for (;;) {
        if (::poll(watched, 2, -1) < 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            end_process();
        }
        if (watched[0].revents & (POLLHUP | POLLERR | POLLNVAL))
            end_process();
        if (watched[1].revents & POLLIN) {
            std::uint64_t count = 0;
            if (::read(doorbell, &count, sizeof count) != static_cast<ssize_t>(sizeof count))
                continue;
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
    } catch (...) {
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

} // namespace twat::mp::detail
