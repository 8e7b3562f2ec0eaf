// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BACKEND_WORKER_SET_HPP
#define TWAT_MP_SRC_BACKEND_WORKER_SET_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/pool_dump.hpp>

#include "backend/backend.hpp"

namespace twat::mp::detail {

using pool_strand = asio::strand<asio::any_io_executor>;

/** Tells a watcher of one handler, which holds this: that it is posted, and that it has arrived or never will. */
class posted_mark
{
public:
    /// @param watcher May be null.
    explicit posted_mark(post_watcher* watcher) noexcept : watcher_(watcher)
    {
        if (watcher_)
            watcher_->posting();
    }
    posted_mark(posted_mark&& other) noexcept : watcher_(std::exchange(other.watcher_, nullptr)) {}
    posted_mark& operator=(posted_mark&&) = delete;
    ~posted_mark() { arrive(); }

    void arrive() noexcept
    {
        if (post_watcher* watcher = std::exchange(watcher_, nullptr))
            watcher->arrived();
    }

private:
    post_watcher* watcher_;
};

/** The way from other threads back to a pool's strand, which may be gone.

    Threads that the user's context does not know of (launching, reaping, thread workers) post through it. Once the context
    begins to shut down, `post` does nothing.
*/
class strand_link
{
public:
    /// @param watcher As for `pool_core::create`.
    explicit strand_link(pool_strand strand, post_watcher* watcher = nullptr)
        : strand_(std::move(strand)), watcher_(watcher)
    {}
    strand_link(const strand_link&) = delete;
    strand_link& operator=(const strand_link&) = delete;

    /// Whether the strand is on the user's own loop, which the pool must not hold up. Otherwise threads that wait for the pool run it.
    bool beside_a_loop() const noexcept { return !watcher_; }

    /// Whether the calling thread runs something of the strand, which it may do without its word.
    bool runs_here() const noexcept { return watcher_ && watcher_->runs_here(); }

    /// Runs `f` on the strand, later. `f` is destroyed uncalled if the context is gone or goes away.
    template <class F>
    void post(F&& f);

    /// The same; the calling thread may run it before this returns. Nothing may be locked that `f` wants.
    template <class F>
    void post_and_run(F&& f);

    /// The context goes away: nothing is posted any more. On return no `post` is under way.
    void cut()
    {
        std::lock_guard lock(mutex_);
        strand_.reset(); // its destructor needs the context
    }

private:
    template <class F>
    void post_locked(F&& f);

    std::mutex mutex_;
    std::optional<pool_strand> strand_;
    post_watcher* const watcher_;
};

/** The workers of one pool: makes them and ends them, as the engine's roster decides. Made by a `backend_factory`.

    Lives on the pool's strand; calls `backend_events` on it, never from inside a call that it gets.
*/
class worker_set : public backend
{
public:
    /// How many may start at once: starts beyond that would only slow each other down.
    virtual std::size_t starts_at_once() const noexcept { return std::numeric_limits<std::size_t>::max(); }

    /// The pool has so many nodes from now on, by which workers that start learn what their share is.
    virtual void resize(std::size_t) {}

    /// Ends all workers in order (finalizers run), each within `stop_grace`, then kills what is left; `done` is called on the strand
    /// when all are gone or given up. The engine holds no chunk. No worker is started any more.
    virtual void stop(std::function<void()> done) = 0;

    /// Kills all workers at once and starts none any more. Nothing is reported afterwards.
    virtual void kill() noexcept = 0;

    /// As `kill`, when the context is about to be destroyed or the pool is released: also lets go of every socket and timer on it.
    virtual void shut_down() noexcept = 0;

    /// Whether anything is outstanding in the pool. False: nothing may be armed on the context, so that it can run out of work (R11);
    /// true: arm again, and look at once at what was sent meanwhile. What other threads post is handled in either case: a death while idle,
    /// a start.
    virtual void set_active(bool active) = 0;

    /// The only member for any thread, at any time, also when the context is gone or does not run: makes the workers end now. Processes:
    /// kills them, starts none, does not wait. Threads: asks tasks to stop and waits for them, unless called from one of the threads.
    /// Idempotent. Destruction does the same first.
    virtual void halt() noexcept = 0;

    /// Threads: a place for a thread that runs a task of this pool and is about to block (nested parallelism). Chunks submitted to the
    /// guest's id are run by `run_guest`, in the calling thread, until `stop()`, looked at after each chunk and each `wake_guest`,
    /// is true. `add_guest` on the strand (the engine then knows it as a worker for one operation only); `run_guest` and `wake_guest`
    /// on any thread; `remove_guest` on the strand, when `run_guest` has returned and the engine holds no chunk of it.
    virtual worker_id add_guest() { return 0; }
    virtual void run_guest(worker_id, const std::function<bool()>&) {}
    virtual void wake_guest(worker_id) noexcept {}
    virtual void remove_guest(worker_id) {}

    /// Who a worker is that was told to be ready, for traces.
    struct identity
    {
        std::size_t node = 0;
        int pid = 0;
    };
    virtual identity identify(worker_id) const { return {}; }

    /// Those that are busy, and what they do: their stacks are on their way.
    virtual std::vector<dumped_worker> dump() { return {}; }

    /// `pool_stats::abandoned`.
    virtual std::size_t abandoned() const noexcept { return 0; }

    /// Whether it waits for something on the context that nobody posts: a timer, a descriptor.
    virtual bool is_armed() const noexcept { return true; }
};

/// Where a backend is to work, for `backend_factory::make`.
struct backend_site
{
    /// Everything but `halt` is called on it; whose context may end before the pool does: see `shut_down`.
    pool_strand strand;
    std::shared_ptr<strand_link> link; ///< From other threads back to the strand.
    backend_events& events;            ///< Outlives the backend.
    std::size_t nodes;
};

std::unique_ptr<worker_set> make_process_workers(pool_strand strand, std::shared_ptr<strand_link> link,
                                                 const pool_options& options, std::size_t nodes,
                                                 backend_events& events);
/// @param events Also what `worker_context::pool` of the threads names.
std::unique_ptr<worker_set> make_thread_workers(pool_strand strand, std::shared_ptr<strand_link> link,
                                                const pool_options& options, backend_events& events);

template <class F>
void strand_link::post(F&& f)
{
    std::lock_guard lock(mutex_);
    post_locked(std::forward<F>(f));
}

template <class F>
void strand_link::post_and_run(F&& f)
{
    posting_turn turn;
    {
        std::lock_guard lock(mutex_);
        if (strand_ && watcher_)
            turn.take(*watcher_);
        if (!turn.taken() || !watcher_->may_run_here())
            return post_locked(std::forward<F>(f));
    }
    watcher_->run_here(f); // it stays, as long as the turn is held
}

template <class F>
void strand_link::post_locked(F&& f)
{
    if (!strand_)
        return;
    if (!watcher_)
        return asio::post(*strand_, std::forward<F>(f));
    asio::post(*strand_, [mark = posted_mark(watcher_), f = std::forward<F>(f)]() mutable {
        mark.arrive();
        f();
    });
    watcher_->posted();
}

} // namespace twat::mp::detail

#endif
