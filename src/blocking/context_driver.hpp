// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BLOCKING_CONTEXT_DRIVER_HPP
#define TWAT_MP_SRC_BLOCKING_CONTEXT_DRIVER_HPP

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>

#include "os/spin_wait.hpp"

namespace twat::mp::detail {

/** Decides which thread runs the context of a blocking pool.

    A thread that waits takes the context over, if nobody runs it, and runs it until what it waits for is there: that saves the two
    switches between threads that waiting for another one costs. What is left to do then goes to the next one that waits, or to a thread
    that is kept for it and goes on until nothing is left to run and nothing can come to pass that nobody posts. An idle pool is no work,
    so mostly nobody runs it.

    A thread that posts, to submit a call or to report what it ran, runs that itself if nobody has the turn: two switches less for a
    call whose future is waited for. Only as long as nothing of the user's would run in there: such a thread may hold a lock of the
    user's, or has been promised that it does not wait. Where nothing else waits on the context it does not even post it: a handler that
    goes through the context costs three allocations and a system call.
*/
class context_driver final : public post_watcher
{
public:
    /// @param spin How long a waiting thread looks for something to run before it sleeps.
    explicit context_driver(duration spin = duration::zero()) noexcept : spin_(spin) {}

    asio::io_context& context() noexcept { return context_; }

    // post_watcher, any thread: somebody has to run what was posted.
    void posting() noexcept override { ++pending_; }
    void posted() noexcept override;
    void arrived() noexcept override { --pending_; }
    void set_armed(bool armed) noexcept override { armed_ = armed; }
    std::shared_ptr<post_watcher> take_turn() noexcept override;
    void run_turn() noexcept override;
    bool may_run_here() const noexcept override;
    void run_here(void (*call)(void*), void* what) noexcept override;
    using post_watcher::run_here;

    /// Lets threads that post take turns. Comes before the first post.
    /// @param owner What the driver is part of. @param calls_only Whether nothing of the user's would run; called by any thread.
    void let_posting_threads_run(std::weak_ptr<void> owner, std::function<bool()> calls_only)
    {
        owner_ = std::move(owner);
        calls_only_ = std::move(calls_only);
    }

    /// Calls `begin()`, then waits, until `limit` at most; runs the context meanwhile, if it is this thread's turn. Not in a handler of the context.
    void wait(blocking_wait& until, const std::function<void()>& begin,
              std::chrono::steady_clock::time_point limit = std::chrono::steady_clock::time_point::max());

    /// The kept thread. Returns after `end`, when nothing is left to do.
    void serve() noexcept;
    void end() noexcept;

    /// Whether the calling thread is in a handler of this context.
    bool runs_here() const noexcept override;

private:
    class scope;
    class chance;
    enum class turn { nobody, waiting_thread, kept_thread };

    bool lead() noexcept;
    void run_until(const blocking_wait& until, std::chrono::steady_clock::time_point limit) noexcept;
    bool may_run_posted() const noexcept { return calls_only_ && calls_only_(); }
    /// Whether the context has nothing to run but what was cancelled. Only who has the turn may ask; others may post at any time.
    bool is_drained() const noexcept { return !armed_ && pending_ == 0; }
    void pass_on(bool calls_only = false) noexcept;
    bool follow(blocking_wait& until, std::chrono::steady_clock::time_point limit);

    std::atomic<std::size_t> pending_{0};  ///< Handlers that were posted, or are about to be, and have not run.
    std::atomic<turn> turn_{turn::nobody}; ///< Changed under the mutex.
    std::atomic<bool> armed_{true};        ///< Something may come to pass on the context that nobody posts.
    std::weak_ptr<void> owner_;
    std::function<bool()> calls_only_;
    spin_wait spin_; ///< The waiting thread's whose turn it is.
    std::mutex mutex_;
    std::condition_variable changed_; ///< For the kept thread.
    std::vector<blocking_wait*> followers_;
    bool ended_ = false;
    asio::io_context context_{1}; ///< Last: its handlers may call `posted` while they are destroyed.
};

} // namespace twat::mp::detail

#endif
