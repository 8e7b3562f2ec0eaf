// SPDX-License-Identifier: BSL-1.0
#include "os/off_loop_timer.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include <unistd.h>

#include "os/helper_thread.hpp"

namespace twat::mp::detail {
namespace {

using time_point = std::chrono::steady_clock::time_point;
using key = std::pair<time_point, std::uint64_t>;

class clock_thread
{
public:
    /// The process's; never destroyed. In a forked process a new one.
    static clock_thread& instance()
    {
        static std::mutex making;
        static clock_thread* made = nullptr;
        static pid_t made_in = 0;
        std::lock_guard lock(making);
        if (made_in != ::getpid()) {
            auto* const fresh = new clock_thread;
            start_helper_thread("mp clock", [fresh] { fresh->run(); });
            made = fresh;
            made_in = ::getpid();
        }
        return *made;
    }

    std::uint64_t add(time_point due, std::function<void()> ring)
    {
        std::lock_guard lock(mutex_);
        const std::uint64_t number = ++last_;
        const auto added = bells_.emplace(key(due, number), std::move(ring)).first;
        if (added == bells_.begin())
            changed_.notify_one();
        return number;
    }

    void remove(time_point due, std::uint64_t number) noexcept
    {
        decltype(bells_)::node_type removed; // destroyed without the mutex
        std::lock_guard lock(mutex_);
        removed = bells_.extract(key(due, number));
    }

private:
    void run()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            if (bells_.empty())
                changed_.wait(lock);
            else if (const time_point next = bells_.begin()->first.first; next > std::chrono::steady_clock::now())
                changed_.wait_until(lock, next);
            else {
                auto due = bells_.extract(bells_.begin());
                lock.unlock();
                due.mapped()();
                due = {};
                lock.lock();
            }
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<key, std::function<void()>> bells_;
    std::uint64_t last_ = 0;
};

} // namespace

void off_loop_timer::set(time_point due, std::function<void()> ring)
{
    clear();
    key_ = clock_thread::instance().add(due, std::move(ring));
    due_ = due;
    process_ = ::getpid();
}

void off_loop_timer::clear() noexcept
{
    if (key_ != 0 && process_ == ::getpid())
        clock_thread::instance().remove(due_, key_);
    key_ = 0;
}

} // namespace twat::mp::detail
