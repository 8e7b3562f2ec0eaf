// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_POOL_CORE_HPP
#define TWAT_MP_DETAIL_OPERATION_POOL_CORE_HPP

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/drain_report.hpp>
#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/detail/operation/exit_results.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/pool_dump.hpp>

namespace twat::mp::detail {

struct pool_access;

/** Told of handlers that are posted to a pool's context from outside: somebody has to run them. */
class post_watcher
{
public:
    virtual void posting() noexcept = 0; ///< Before.
    virtual void posted() noexcept = 0;  ///< After.
    virtual void arrived() noexcept = 0; ///< It runs, or never will.

    /// Whether something can come to pass on the context that nobody posts: a timer is set, a descriptor is waited for.
    virtual void set_armed(bool) noexcept {}
    /// For a thread that is about to post: it may run what it posts by itself, by `run_turn` of what this returns. Null: somebody else does.
    virtual std::shared_ptr<post_watcher> take_turn() noexcept { return nullptr; }
    virtual void run_turn() noexcept {}
    /// Whether the calling thread has the turn, nothing runs on the context, and nothing that was posted waits there. Then it may call by
    /// `run_here` what it would post: nothing is overtaken.
    virtual bool may_run_here() const noexcept { return false; }
    virtual void run_here(void (*call)(void*), void* what) noexcept { call(what); }
    /// Whether the calling thread is in a handler of the context, or in `run_here`.
    virtual bool runs_here() const noexcept { return false; }

    template <class F>
    void run_here(F&& f) noexcept
    {
        run_here([](void* what) { (*static_cast<std::remove_reference_t<F>*>(what))(); }, std::addressof(f));
    }

protected:
    ~post_watcher() = default;
};

/// The turn of a thread that posts: at the end of the scope, when it has let go of the library's locks, it runs what it posted.
class posting_turn
{
public:
    posting_turn() noexcept = default;
    posting_turn(const posting_turn&) = delete;
    posting_turn& operator=(const posting_turn&) = delete;
    ~posting_turn()
    {
        if (watcher_)
            watcher_->run_turn();
    }

    /// Comes before anything is posted.
    void take(post_watcher& watcher) noexcept { watcher_ = watcher.take_turn(); }
    bool taken() const noexcept { return watcher_ != nullptr; }

private:
    std::shared_ptr<post_watcher> watcher_; ///< Null: somebody else runs it.
};

/** The state of a pool, shared by the pool object, its operations, streams and `with` handles.

    Every member may be called from any thread, and only starts something: it takes effect on the pool's strand, in the
    order of the calls. Nothing here calls a completion handler before it returns. Compiled once, in `src/pool`.
*/
class TWAT_MP_DECL pool_core
{
public:
    /// Called on the strand; posts what the user gave to where it belongs.
    using start_handler = asio::any_completion_handler<void(std::exception_ptr)>;
    using dump_handler = asio::any_completion_handler<void(std::exception_ptr, pool_dump)>;
    using drain_handler = asio::any_completion_handler<void(std::exception_ptr, drain_report)>;

    /// Starts no worker yet. Throws `std::invalid_argument` if the system cannot have so many as the options ask for.
    /// @param watcher Called after each post from any thread, as long as the context lives; null: somebody runs it anyway.
    static std::shared_ptr<pool_core> create(std::shared_ptr<const backend_factory> factory,
                                             asio::any_io_executor executor, post_watcher* watcher = nullptr);

    virtual ~pool_core();

    virtual asio::any_io_executor get_executor() const noexcept = 0;
    /// What it was made of.
    virtual const std::shared_ptr<const backend_factory>& factory() const noexcept = 0;
    virtual std::size_t nodes() const noexcept = 0; ///< Never 0.
    /// Throws `std::invalid_argument` if there cannot be so many.
    virtual void resize(std::size_t nodes) = 0;
    virtual pool_stats stats() const = 0;
    virtual std::vector<exit_value> exit_values() const { return {}; }

    /// Whether nothing of the user's would run on the strand now, but moves of arguments and results: no range, no callback. For any thread
    /// that may run the pool's context.
    virtual bool runs_calls_only() const noexcept { return false; }

    /// Queues an operation. The pool keeps it until it has called `complete`; it starts the workers if need be.
    virtual void submit(std::shared_ptr<operation> op) = 0;

    /// Asks for cancellation as the interface's table says. No effect on an operation that is over.
    virtual void cancel(std::shared_ptr<operation> op, asio::cancellation_type type) = 0;

    /// Streams: the reader took elements, so `demand()` may have grown.
    virtual void feed(std::shared_ptr<operation> op) = 0;

    /// Streams: the reader is gone, and nobody wants the results. As a cancellation of type terminal, capped by `cancel_limit`; but what has
    /// not begun is dropped in any case.
    virtual void abandon(std::shared_ptr<operation> op) = 0;

    /// What a tenant may have from now on. Throws `std::invalid_argument` that names the member.
    virtual void set_tenant(tenant_id, const tenant_options&) {}

    /// Begins to start the workers, if they are not started, and waits for nothing.
    virtual void prepare() = 0;
    /// Calls `handler` when every worker is ready, or with the reason why that cannot be.
    virtual void start(start_handler handler) = 0;
    /// Closes, waits for the operations, ends the workers in order, then calls `handler`.
    virtual void join(start_handler handler) = 0;
    /// The same, but terminates when operations are still outstanding after `limit`; then calls `handler`.
    virtual void drain(duration limit, drain_handler handler) = 0;
    /// Calls `handler` with what the busy workers do.
    virtual void dump(dump_handler handler) = 0;
    /// From now on tells `observer` what happens, and first which workers there are and what they run.
    virtual void observe(std::weak_ptr<pool_observer>) {}
    virtual void close() = 0;
    virtual void terminate() = 0;

    /// The pool object is gone: the workers are killed, outstanding operations complete with `operation_aborted`. Never
    /// waits for processes; waits for threads unless called from one of them. Safe when the context is gone.
    virtual void release() noexcept = 0;

    /// Whether the calling thread is running a task of this pool (threads only).
    virtual bool runs_task_here() const noexcept = 0;
    /// Whether this thread may wait for the end of the operation's tasks: it runs none of them, nor a coroutine task, on whose loop they
    /// may stand still.
    virtual bool may_await_tasks_here(const operation& op) const noexcept = 0;

    /// Threads: the calling thread, which runs a task of this pool and is about to block for `op`, runs tasks of `op` until
    /// `stop()`returns true. `wake` makes it look again. For nested parallelism; see `multi_pool`.
    virtual void help(const std::shared_ptr<operation>& op, const std::function<bool()>& stop) = 0;
    virtual void wake_helpers(const std::shared_ptr<operation>& op) noexcept = 0;
};

} // namespace twat::mp::detail

#endif
