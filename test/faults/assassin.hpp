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

/** Kills workers of a pool at random moments, as long as it lives. They are known from the pool's events. */
class assassin
{
public:
    assassin(std::uint64_t seed, std::chrono::microseconds longest_pause) : random_(seed), longest_pause_(longest_pause) {}
    assassin(const assassin&) = delete;
    ~assassin()
    {
        stop();
        for (const auto& [pid, fd] : known_)
            ::close(fd);
    }

    /// For `pool_options::on_event`. The process is held by a descriptor, so that the signal cannot reach another one.
    void note(const pool_event& event)
    {
        std::lock_guard lock(mutex_);
        if (event.what == pool_event::worker_started) {
            const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, event.pid, 0));
            if (fd >= 0)
                known_.insert_or_assign(event.pid, fd);
        } else if (event.what != pool_event::worker_ready) {
            const auto found = known_.find(event.pid);
            if (found != known_.end()) {
                ::close(found->second);
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
    void strike()
    {
        std::lock_guard lock(mutex_);
        if (known_.empty())
            return;
        auto victim = known_.begin();
        std::advance(victim, std::uniform_int_distribution<std::size_t>(0, known_.size() - 1)(random_));
        if (::syscall(SYS_pidfd_send_signal, victim->second, SIGKILL, nullptr, 0) == 0)
            ++kills_;
    }

    std::mt19937_64 random_;
    const std::chrono::microseconds longest_pause_;
    std::mutex mutex_;
    std::map<int, int> known_; ///< Process to descriptor.
    std::atomic<bool> stopped_ = false;
    std::atomic<unsigned> kills_ = 0;
    std::thread thread_;
};

} // namespace twat::mp::test

#endif
