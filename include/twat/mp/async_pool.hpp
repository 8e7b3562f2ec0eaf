// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_ASYNC_POOL_HPP
#define TWAT_MP_ASYNC_POOL_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/call_handle.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/drain_report.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/pool_dump.hpp>
#include <twat/mp/result.hpp>
#include <twat/mp/result_stream.hpp>
#include <twat/mp/workers.hpp>

#include <twat/mp/detail/function/temporaries.hpp>
#include <twat/mp/detail/operation/initiate.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/detail/operation/pool_verbs.hpp>

namespace twat::mp {

/** Workers that run functions for a Boost.Asio program, with operations that take completion tokens.

    The workers are started by the first operation or by `start`. The pool counts as work on its context only while an operation is
    outstanding or a stream has tasks in flight. Operations, streams and `with` handles share the pool's state and may outlive the
    object.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, with the specific exception of moving, destroying and `restart`.

    @par Example
    @code
    asio::awaitable<void> program(mp::async_multi_pool& pool, std::vector<int> inputs)
    {
        std::vector<int> squares = co_await pool.map(square, inputs);
    }
    @endcode

    @tparam Workers `process_workers`, `thread_workers`, or what another library has of `worker_traits`.
    @tparam Executor The type of the executor for the pool's own work and for handlers that have none.
*/
template <class Workers, class Executor>
class basic_async_pool : public detail::pool_verbs<basic_async_pool<Workers, Executor>, Workers, Executor>
{
    static_assert(worker_traits<Workers>,
                  "twat::mp: the workers of a pool are mp::process_workers, mp::thread_workers or another type with "
                  "mp::worker_traits");

public:
    using executor_type = Executor;
    /// `pool_options`, or what the workers have in their place.
    using options_type = typename Workers::options;

    /** Makes a pool with the default options on an executor. Starts no worker yet.

        An overload and not a default argument: g++ 12 destroys that twice in `pool(co_await asio::this_coro::executor)`.
    */
    explicit basic_async_pool(executor_type executor)
        : basic_async_pool(static_cast<const executor_type&>(executor), options_type())
    {}

    /** Makes a pool on an executor. Starts no worker yet.

        With g++ before 13, `pool(co_await asio::this_coro::executor, options)` needs `options` to have a name: the compiler destroys temporary ones
        twice. They are refused there.

        @throws std::invalid_argument that names the member, if an option is bad.
    */
    explicit basic_async_pool(const executor_type& executor, options_type options)
        : executor_(executor), core_(detail::pool_core::create(Workers::make(std::move(options)), executor_))
    {}

    /// @private What `co_await` gives and temporary options: refused, see above.
    explicit basic_async_pool(executor_type&& executor, options_type&&) requires detail::destroys_temporaries_twice
        : basic_async_pool(static_cast<const executor_type&>(executor), options_type())
    {
        static_assert(sizeof(Executor) == 0, "twat::mp: g++ before 13 destroys temporary pool_options beside co_await "
                                             "twice; give the options a name first and pass "
                                             "that, without std::move, or name the executor first");
    }

    /// @private An executor that is converted is not what `co_await` gives.
    template <class OtherExecutor>
    requires(detail::destroys_temporaries_twice && !std::same_as<OtherExecutor, executor_type> &&
             std::convertible_to<const OtherExecutor&, executor_type> &&
             !std::convertible_to<OtherExecutor&,
                                  asio::execution_context&>) explicit basic_async_pool(const OtherExecutor& executor,
                                                                                       options_type options)
        : basic_async_pool(static_cast<const executor_type&>(executor_type(executor)), std::move(options))
    {}

    /// Makes a pool on an execution context.
    template <class Context>
    requires std::convertible_to<Context&, asio::execution_context&>
    explicit basic_async_pool(Context& context) : basic_async_pool(executor_type(context.get_executor())) {}

    /// The same with options. @throws std::invalid_argument that names the member, if an option is bad.
    template <class Context>
    requires std::convertible_to<Context&, asio::execution_context&>
    explicit basic_async_pool(Context& context, options_type options)
        : basic_async_pool(static_cast<const executor_type&>(executor_type(context.get_executor())), std::move(options))
    {}

    /// Makes a pool of `nodes` workers; 0: as many as CPUs that this process may use.
    basic_async_pool(executor_type executor, std::size_t nodes) requires detail::has_nodes<options_type>
        : basic_async_pool(static_cast<const executor_type&>(executor), with_nodes(nodes))
    {}

    /// The same on an execution context.
    template <class Context>
    requires(std::convertible_to<Context&, asio::execution_context&>&& detail::has_nodes<options_type>)
        basic_async_pool(Context& context, std::size_t nodes)
        : basic_async_pool(static_cast<const executor_type&>(executor_type(context.get_executor())), with_nodes(nodes))
    {}

    /// @private A pool on a state that was made elsewhere.
    basic_async_pool(executor_type executor, std::shared_ptr<detail::pool_core> core)
        : executor_(std::move(executor)), core_(std::move(core))
    {}

    basic_async_pool(basic_async_pool&& other) noexcept = default;
    basic_async_pool& operator=(basic_async_pool&& other) noexcept
    {
        if (this != &other) {
            release();
            executor_ = other.executor_;
            core_ = std::move(other.core_);
        }
        return *this;
    }

    /** Kills the workers. Outstanding operations complete with `asio::error::operation_aborted`.

        A pool on threads waits for running tasks, unless it is destroyed in one of them.
    */
    ~basic_async_pool() { release(); }

    /// Where the pool works, and where handlers run that have no executor of their own. May be called from any thread.
    executor_type get_executor() const noexcept { return executor_; }

    /// How many workers there may be, never 0: `pool_options::nodes`, or what `resize` was given last. `stats().ready` tells how many there are.
    std::size_t nodes() const noexcept { return core_->nodes(); }

    /** Starts the workers that are kept (`pool_options::min_nodes`) and waits until every one is ready, so that the first operation need not.

        If a node's worker fails to start three times in a row while others are ready, this completes with the reason; the pool serves with the
        others and goes on to try.

        @par Completion Signature
        @code void(std::exception_ptr) @endcode

        @par Executor
        The completion handler runs on its associated executor, or on `get_executor()` if it has none, and never from inside this
        function.

        @par Per-Operation Cancellation
        Every type ends the wait, not the start.

        @par Errors
        @li `errc::worker_start_failed`, `errc::initializer_failed`, `errc::pool_broken`: why a worker is not ready.
        @li `errc::pool_closed`, `errc::pool_terminated`.

        @par Thread Safety
        May be called from any thread, also while operations are outstanding.
    */
    template <class CompletionToken = asio::use_awaitable_t<Executor>>
    auto start(CompletionToken&& token = CompletionToken())
    {
        using initiation = detail::wait_initiation<Executor, detail::wait_for_start>;
        return asio::async_initiate<CompletionToken, void(std::exception_ptr)>(initiation(core_, executor_), token);
    }

    /** Closes the pool, waits for its operations as long as they take, and ends the workers in order, within `stop_grace`.

        @par Completion Signature
        @code void(std::exception_ptr) @endcode

        @par Executor
        As for `start`.

        @par Per-Operation Cancellation
        Every type ends the wait, with `asio::error::operation_aborted`; the pool stays closed.

        @par Errors
        @li `asio::error::operation_aborted`: the wait was cancelled, or the pool was destroyed meanwhile.

        The outcome of each operation goes to whoever started it, not here.

        @par Thread Safety
        May be called from any thread, by several at once: all of them complete.
    */
    template <class CompletionToken = asio::use_awaitable_t<Executor>>
    auto join(CompletionToken&& token = CompletionToken())
    {
        using initiation = detail::wait_initiation<Executor, detail::wait_for_join>;
        return asio::async_initiate<CompletionToken, void(std::exception_ptr)>(initiation(core_, executor_), token);
    }

    /** Closes the pool, waits for its operations, but at most for `limit`, and ends the workers: how a server shuts down.

        Operations that are outstanding then complete with `errc::pool_terminated`, as by `terminate`. Workers that have nothing to do end in
        order, within `stop_grace`. On threads, tasks that run are asked to stop and are waited for.

        @par Completion Signature
        @code void(std::exception_ptr, mp::drain_report) @endcode

        @par Executor
        As for `start`.

        @par Per-Operation Cancellation
        Every type ends the wait, with `asio::error::operation_aborted`. The pool stays closed, and what is outstanding when the time is up is
        still terminated.

        @par Errors
        @li `asio::error::operation_aborted`: the pool was destroyed meanwhile.

        @par Thread Safety
        May be called from any thread, also while another `drain` or `join` is outstanding.

        @par Remarks
        In a pool that is closed, terminated, broken or has ended it waits for what is left, if anything. The shortest of several limits holds.

        @param limit How long to wait for operations; zero or less: not at all; `duration::max()`: as long as they take.
    */
    template <class CompletionToken = asio::use_awaitable_t<Executor>>
    auto drain(duration limit, CompletionToken&& token = CompletionToken())
    {
        using initiation = detail::wait_initiation<Executor, detail::wait_for_drain, drain_report>;
        return asio::async_initiate<CompletionToken, void(std::exception_ptr, drain_report)>(
            initiation(core_, executor_, {limit}), token);
    }

    /** Says what the busy workers do now: their tasks, and the stacks of their threads. For a page, or a handler of a signal.

        Processes and threads are asked by a signal; see `stacktrace` for what a stack shows. No task is stopped or ended, but a system call of
        one may end with `EINTR`. Names are looked up on a thread of the library, so that a dump of a large program may take a second, and printing
        one takes no time. A worker that does not answer within 20 ms is described by what the system says of it.

        @par Completion Signature
        @code void(std::exception_ptr, mp::pool_dump) @endcode

        @par Executor
        As for `start`.

        @par Per-Operation Cancellation
        Every type ends the wait, with `asio::error::operation_aborted`.

        @par Errors
        @li `asio::error::operation_aborted`: the pool was destroyed meanwhile.

        @par Thread Safety
        May be called from any thread, at any time, also after `close` and `terminate`.
    */
    template <class CompletionToken = asio::use_awaitable_t<Executor>>
    auto dump(CompletionToken&& token = CompletionToken())
    {
        using initiation = detail::wait_initiation<Executor, detail::wait_for_dump, pool_dump>;
        return asio::async_initiate<CompletionToken, void(std::exception_ptr, pool_dump)>(initiation(core_, executor_),
                                                                                          token);
    }

    /** The same verbs, under options of their own: `co_await pool.with({.timeout = 2s}).map(f, xs)`.

        @throws std::invalid_argument that names the member, if an option is bad.
    */
    call_handle<Workers, Executor> with(const call_options& options) const
    {
        return call_handle<Workers, Executor>(core_, executor_, options);
    }

    /// The same verbs, with a progress callback: `co_await pool.on_progress(std::ref(bar)).map(f, xs)`; see `call_handle::on_progress`.
    template <class Callback>
    auto on_progress(Callback&& callback) const
    {
        return with(call_options()).on_progress(std::forward<Callback>(callback));
    }

    /** Changes how many workers there may be: `pool_options::nodes`, and with `mp::all_nodes` how many are kept.

        Takes effect at once. More: workers are started as after the construction, all of them, or with `pool_options::min_nodes` when tasks wait.
        Fewer: the workers of the last nodes get no more tasks, and each ends in order when its task has ended, however long that takes; what they
        had not begun goes to the others. No operation fails. If `min_nodes` is more than that, all are kept. May be called from any thread; does
        nothing in a pool that is closed.

        @param nodes 0: as many as CPUs that this process may use.
        @throws std::invalid_argument if the system cannot have so many workers.
    */
    void resize(std::size_t nodes) { core_->resize(nodes); }

    /// Takes no more work: operations begun from now on complete with `errc::pool_closed`.
    void close() { core_->close(); }

    /// Kills the workers. Operations complete with `errc::pool_terminated`, on threads when their running tasks have returned.
    void terminate() { core_->terminate(); }

    /** Begins anew, with the same options, as if the pool were destroyed and made again: kills the workers, and outstanding operations complete
        with `asio::error::operation_aborted`. To let them finish first, await `join`.

        Also after `close`, `join`, `drain` and `terminate`. Handles that `with` returned before stay with the old workers. Not while another
        thread uses the pool.

    */
    void restart()
    {
        auto fresh = detail::pool_core::create(core_->factory(), executor_);
        release();
        core_ = std::move(fresh);
    }

    /** Says what a tenant may have of the pool from now on, and has it counted by itself in `stats`; see `call_options::tenant`.

        For tenants that are known beforehand. Those whose ids have no end, such as clients' addresses, need no call: they share the
        workers' time equally, and nothing is kept of one that is not there any more.

        @throws std::invalid_argument that names the member, if an option is bad.
    */
    void set_tenant(tenant_id id, const tenant_options& options) { core_->set_tenant(id, options); }

    /// A snapshot of the pool's counters. `done`, `failed` and `cancelled` count every task of whose outcome somebody may know; sums by tenant and label, times
    /// and bytes may follow a moment later. May be called from any thread, at any time, also after `terminate`; it does not wait for the pool.
    pool_stats stats() const { return core_->stats(); }

    /** What the finalizers (`pool_options::finalizer`) of workers that ended in order have returned by now, in the order of these ends.

        All of them after `join` or `drain`; those of workers that were recycled or retired before that. At most the last 4096. A worker that was
        killed has none, nor has one whose finalizer threw. May be called from any thread, also again.

        @tparam R What the finalizer returns, decayed; of a coroutine, its result. Encodable for processes, copyable for threads.
        @throws std::logic_error if the pool has no finalizer, or it returns another type.
    */
    template <class R>
    std::vector<R> exit_results() const
    {
        if constexpr (Workers::encodes)
            detail::check_encodable<R>();
        return detail::read_exit_results<R>(core_->factory()->options().finalizer, core_->exit_values());
    }

private:
    friend class detail::pool_verbs<basic_async_pool, Workers, Executor>;
    friend struct detail::pool_access;

    static options_type with_nodes(std::size_t nodes)
    {
        options_type options;
        options.nodes = nodes;
        return options;
    }

    const std::shared_ptr<detail::pool_core>& core() const noexcept { return core_; }
    detail::call_settings<> settings() const { return detail::call_settings<>(call_options()); }

    void release() noexcept
    {
        if (auto core = std::exchange(core_, nullptr))
            core->release();
    }

    executor_type executor_;
    std::shared_ptr<detail::pool_core> core_;
};

} // namespace twat::mp

#endif
