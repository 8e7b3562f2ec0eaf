// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/loop_guard.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <unistd.h>

#include "observe/loop_judge.hpp"
#include "observe/stack_source.hpp"
#include "os/job_thread.hpp"
#include "os/thread_stack.hpp"

namespace twat::mp::detail {
namespace {

using clock = std::chrono::steady_clock;

/// The library's thread has nothing else to do: a busy machine gets its time.
constexpr std::chrono::milliseconds patience{200};

} // namespace

/// A loop that is watched. The watcher's thread alone judges; the loop only says that it has come to a beat.
class guarded_loop
{
public:
    guarded_loop(const loop_site& site, duration limit, std::function<void(const loop_stall&)> callback)
        : judge(limit, clock::now()), callback_(std::move(callback)), site_(site)
    {}

    /// The context is about to be destroyed.
    void let_go() noexcept
    {
        std::lock_guard lock(mutex_);
        site_.reset();
    }

    /// Learns which thread runs the loop before anything that is posted later does: the very first handler may be the one that stalls.
    void meet(const std::shared_ptr<guarded_loop>& self)
    {
        asio::post(site_->executor, [self] {
            int nobody = 0;
            self->thread_.compare_exchange_strong(nobody, ::gettid());
        });
    }

    /// @param self This.
    void look(const std::shared_ptr<guarded_loop>& self)
    {
        using verdict = loop_judge::verdict;
        verdict next = judge.look(clock::now(), beats_.load(std::memory_order_acquire));
        if (next == verdict::ask)
            next = judge.asked(ask(), beats_.load(std::memory_order_acquire));
        if (next == verdict::beat)
            beat(self);
        else if (next == verdict::report)
            callback_(
                {judge.lasted(clock::now()), thread_, stacktrace(std::make_shared<const stack_source>([stack = stack_] {
                     return raw_stack{stack.stack,
                                      stack.why_not.empty() ? std::string() : "no stack: " + stack.why_not};
                 }))});
    }

    loop_judge judge;

private:
    void beat(const std::shared_ptr<guarded_loop>& self)
    {
        std::lock_guard lock(mutex_);
        if (site_)
            asio::post(site_->executor, [self] {
                self->thread_ = ::gettid();
                self->beats_.fetch_add(1, std::memory_order_release);
            });
    }

    /// Whether the thread that ran the loop last still does. Takes its stack.
    bool ask()
    {
        std::lock_guard lock(mutex_);
        if (!site_ || thread_ == 0)
            return false;
        stack_ = ask_thread(thread_, patience, {site_->runs_here, site_->typed.get()});
        return stack_.holds;
    }

    const std::function<void(const loop_stall&)> callback_;
    std::atomic<std::uint64_t> beats_{0};
    std::atomic<int> thread_{0}; ///< That came to the last beat, or was met first; 0: none did.
    thread_stack stack_;
    std::mutex mutex_; // for what follows
    std::optional<loop_site> site_;
};

namespace {

/** Tells the guards of a context of its end. */
class loop_service : public asio::execution_context::service
{
public:
    using key_type = loop_service;
    static asio::execution_context::id id;

    explicit loop_service(asio::execution_context& context) : service(context) {}

    void add(const std::shared_ptr<guarded_loop>& loop)
    {
        std::lock_guard lock(mutex_);
        std::erase_if(loops_, [](const auto& l) { return l.expired(); });
        loops_.push_back(loop);
    }

private:
    void shutdown() override
    {
        std::lock_guard lock(mutex_);
        for (const auto& loop : loops_)
            if (const auto watched = loop.lock())
                watched->let_go();
    }

    std::mutex mutex_;
    std::vector<std::weak_ptr<guarded_loop>> loops_;
};

asio::execution_context::id loop_service::id;

/** Looks at all guarded loops, on one thread, as long as there are any. */
class loop_watcher
{
public:
    static loop_watcher& get()
    {
        // never destroyed: its thread may use it until the process ends
        static loop_watcher& watcher = *new loop_watcher;
        return watcher;
    }

    void add(const std::shared_ptr<guarded_loop>& loop)
    {
        static constinit job_thread thread("twat-mp:guard");
        static const bool ends_with_program = std::atexit([] { get().end(); }) == 0;
        static_cast<void>(ends_with_program);
        std::lock_guard lock(mutex_);
        loops_.push_back(loop);
        if (!runs_)
            runs_ = thread.post([this] { run(); });
        changed_.notify_all();
    }

    void remove(const std::shared_ptr<guarded_loop>& loop) noexcept
    {
        std::unique_lock lock(mutex_);
        std::erase(loops_, loop);
        changed_.notify_all();
        if (std::this_thread::get_id() != thread_)
            changed_.wait(lock, [&] { return looked_at_ != loop; });
    }

private:
    void end()
    {
        std::lock_guard lock(mutex_);
        loops_.clear();
        changed_.notify_all();
    }

    void run() noexcept
    {
        std::unique_lock lock(mutex_);
        thread_ = std::this_thread::get_id();
        while (!loops_.empty()) {
            const auto first = *std::ranges::min_element(loops_, {}, [](const auto& l) { return l->judge.due(); });
            if (first->judge.due() > clock::now()) {
                changed_.wait_until(lock, first->judge.due());
                continue;
            }
            looked_at_ = first;
            lock.unlock();
            first->look(first);
            lock.lock();
            looked_at_.reset();
            changed_.notify_all();
        }
        runs_ = false;
        thread_ = {};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<guarded_loop>> loops_;
    std::shared_ptr<guarded_loop> looked_at_;
    std::thread::id thread_;
    bool runs_ = false;
};

} // namespace

std::shared_ptr<guarded_loop> watch_loop(const loop_site& site, duration limit,
                                         std::function<void(const loop_stall&)> callback)
{
    if (limit < std::chrono::milliseconds(1))
        throw std::invalid_argument("twat::mp::loop_guard: the limit must be at least 1 ms");
    auto made = std::make_shared<guarded_loop>(site, limit, std::move(callback));
    made->meet(made);
    asio::use_service<loop_service>(*site.context).add(made);
    loop_watcher::get().add(made);
    return made;
}

void unwatch_loop(const std::shared_ptr<guarded_loop>& loop) noexcept { loop_watcher::get().remove(loop); }

} // namespace twat::mp::detail
