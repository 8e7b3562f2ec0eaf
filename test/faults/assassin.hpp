// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_ASSASSIN_HPP
#define TWAT_MP_TEST_FAULTS_ASSASSIN_HPP

#include <twat/mp.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

namespace twat::mp::test {

/** Kills workers of a pool at random moments, as long as it lives. They are known from the pool's events.

    Also those that start, but not when no other is ready: a pool none of whose workers gets so far for ten seconds is broken, and a busy
    machine takes long to start one.
*/
class assassin
{
public:
    assassin(std::uint64_t seed, std::chrono::microseconds longest_pause) : random_(seed), longest_pause_(longest_pause)
    {}
    assassin(const assassin&) = delete;
    ~assassin()
    {
        stop();
        for (const auto& [pid, one] : known_)
            ::close(one.pidfd);
    }

    /// For `pool_options::on_event`. The process is held by a descriptor, so that the signal cannot reach another one.
    void note(const pool_event& event)
    {
        std::lock_guard lock(mutex_);
        if (event.what == pool_event::worker_started) {
            const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, event.pid, 0));
            if (fd >= 0)
                known_.insert_or_assign(event.pid, worker{fd});
        } else if (const auto found = known_.find(event.pid); found != known_.end()) {
            if (event.what == pool_event::worker_ready) {
                found->second.ready = true;
            } else {
                ::close(found->second.pidfd);
                known_.erase(found);
            }
        }
    }

    void start()
    {
        thread_ = std::thread([this] {
            std::uniform_int_distribution<int> pause(0, static_cast<int>(longest_pause_.count()));
            while (!stopped_) {
                std::this_thread::sleep_for(std::chrono::microseconds(pause(random_)));
                strike();
            }
        });
    }

    /// No worker is killed after this.
    void stop()
    {
        stopped_ = true;
        if (thread_.joinable())
            thread_.join();
    }

    unsigned kills() const noexcept { return kills_; }

private:
    struct worker
    {
        int pidfd;
        bool ready = false;
    };

    void strike()
    {
        std::lock_guard lock(mutex_);
        bool any_ready = false;
        for (const auto& [pid, one] : known_)
            any_ready = any_ready || one.ready;
        if (!any_ready)
            return;
        auto victim = known_.begin();
        std::advance(victim, std::uniform_int_distribution<std::size_t>(0, known_.size() - 1)(random_));
        if (::syscall(SYS_pidfd_send_signal, victim->second.pidfd, SIGKILL, nullptr, 0) == 0)
            ++kills_;
    }

    std::mt19937_64 random_;
    const std::chrono::microseconds longest_pause_;
    std::mutex mutex_;
    std::map<int, worker> known_; ///< By process.
    std::atomic<bool> stopped_ = false;
    std::atomic<unsigned> kills_ = 0;
    std::thread thread_;
};

} // namespace twat::mp::test

#endif
