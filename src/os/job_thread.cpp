// SPDX-License-Identifier: BSL-1.0
#include "os/job_thread.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <pthread.h>
#include <unistd.h>

namespace twat::mp::detail {

class job_thread::queue
{
public:
    explicit queue(const char* name) : name_(name) {}

    pid_t owner() const noexcept { return owner_; }

    bool post(std::function<void()> job)
    {
        std::lock_guard lock(mutex_);
        if (over_)
            return false;
        waiting_.push_back(std::move(job));
        if (!thread_) {
            try {
                start();
            }
            catch (...) {
                waiting_.pop_back();
                return false;
            }
        }
        changed_.notify_all();
        return true;
    }

    /// The program ends: nothing more of it may be called.
    void end() noexcept
    {
        std::deque<std::function<void()>> dropped;
        std::unique_lock lock(mutex_);
        over_ = true;
        dropped.swap(waiting_);
        if (thread_ && *thread_ != std::this_thread::get_id()) // else a codec has called `exit`
            changed_.wait_for(lock, std::chrono::seconds(1), [this] { return !running_; });
        lock.unlock();
    }

private:
    void start()
    {
        sigset_t all, before; // no signal may be handled on a thread that the application does not know of
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        try {
            std::thread made([this] { run(); });
            thread_ = made.get_id();
            made.detach();
        }
        catch (...) {
            ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
            throw;
        }
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    void run() noexcept
    {
        ::pthread_setname_np(::pthread_self(), name_);
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return !waiting_.empty(); });
            auto job = std::move(waiting_.front());
            waiting_.pop_front();
            running_ = true;
            lock.unlock();
            job();
            job = nullptr; // the last that holds a value, perhaps
            lock.lock();
            running_ = false;
            changed_.notify_all();
        }
    }

    const char* const name_;
    const pid_t owner_ = ::getpid();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> waiting_;
    std::optional<std::thread::id> thread_;
    bool running_ = false;
    bool over_ = false;
};

namespace {

/// All queues that were made, for the end of the program.
struct made_queue
{
    std::function<void()> end;
    made_queue* next;
};
std::atomic<made_queue*> made_queues{nullptr};

void end_all() noexcept
{
    for (const made_queue* made = made_queues; made; made = made->next)
        made->end();
}

void remember(std::function<void()> end)
{
    auto* const made = new made_queue{std::move(end), made_queues};
    while (!made_queues.compare_exchange_weak(made->next, made))
        ;
    std::atexit(end_all);
}

} // namespace

// No lock: one could have been held by another thread when this process was forked.
job_thread::queue& job_thread::own_queue()
{
    queue* found = current_;
    while (!found || found->owner() != ::getpid()) {
        auto* const fresh = new queue(name_); // Never destroyed: its thread uses it until the process ends.
        if (current_.compare_exchange_strong(found, fresh)) {
            remember([fresh] {
                if (fresh->owner() == ::getpid())
                    fresh->end();
            });
            return *fresh;
        }
        delete fresh;
    }
    return *found;
}

bool job_thread::post(std::function<void()> job) noexcept
{
    try {
        return own_queue().post(std::move(job));
    }
    catch (...) {
        return false;
    }
}

} // namespace twat::mp::detail
