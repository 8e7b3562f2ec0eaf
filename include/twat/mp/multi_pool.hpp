// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_MULTI_POOL_HPP
#define TWAT_MP_MULTI_POOL_HPP

#include <cstddef>
#include <exception>
#include <functional>
#include <filesystem>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/drain_report.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/pool_dump.hpp>
#include <twat/mp/result_range.hpp>
#include <twat/mp/workers.hpp>

#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/blocking_verbs.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

namespace twat::mp {

/** The verbs of a blocking pool, under call options and perhaps a progress callback; what `multi_pool::with` returns.

    Shares the pool's state: it may outlive the pool object (a call then throws `errc::pool_closed`), and be used more than once.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, as its members are const; the progress callback is copied into each call.
*/
template <class Workers, class Progress = detail::no_progress>
class blocking_handle : public detail::blocking_verbs<blocking_handle<Workers, Progress>, Workers>
{
public:
    /// @private
    blocking_handle(std::shared_ptr<detail::blocking_core> core, const call_options& options, Progress callback = {})
        : core_(std::move(core)), settings_(options, std::move(callback))
    {
        detail::check_options(options);
    }

    /** Adds a progress callback: `pool.with({}).on_progress(std::ref(bar)).map(f, xs)`.

        It is copied, and called in a thread that serves the pool (its own or one that waits for it), as `callback(mp::progress)`, after
        outcomes arrived, one call at a time. A blocking call of the same pool in it throws `errc::would_deadlock`. If it throws, the
        operation fails with that exception.
    */
    template <class Callback>
    auto on_progress(Callback&& callback) const
    {
        static_assert(std::is_invocable_v<std::decay_t<Callback>&, const progress&>,
                      "twat::mp: a progress callback is called as callback(const mp::progress&)");
        if constexpr (detail::check_copied<Callback>()) {
            auto added =
                detail::add_progress(settings_.callback(), std::decay_t<Callback>(std::forward<Callback>(callback)));
            return blocking_handle<Workers, decltype(added)>(core_, settings_.options(), std::move(added));
        } else {
            return *this;
        }
    }

    /** Keeps finished tasks in a file, so that a later run skips them: `pool.with({}).journal("words.journal").map(f, xs)`.

        For all verbs. The result of a task is added to the file when it arrives. A later call
        with the same function, in the same build of the program, does not run the tasks that are there: those with the same index and the same
        encoded arguments (by a 64-bit hash of these). Failures are not kept. Arguments and results must be encodable, with threads too.

        `reduce`, `transform_reduce`, `filter` and `for_each` need `call_options::deterministic`: then the parts of the range are the same for any
        number of workers, and the value of each part is kept. A later call goes through the parts that are not there, or one of whose elements is
        another one. Its `init` may differ.

        The file is locked as long as the operation runs. Each record has a checksum; what a crash has left of a record that was not finished
        is cut off the next time. Records are handed to the system at once, so they survive a death of the program, `kill -9` too. By default they are
        not waited for until they are on the disk: some of the last may be lost with the machine, and are run again. `sync` says otherwise; the
        thread that runs the pool, your loop perhaps, or a worker thread, then waits for the disk. Nothing is removed from the file: remove it
        when the job is done.

        @par Errors
        The operation completes with `std::invalid_argument` if it folds a range and is not deterministic, or if the file is of another function, of other bound arguments, of another build, or no
        journal: the message says which; and with a `boost::system::system_error` that names the file if it cannot be opened, or is in use
        (`EBUSY`). If a record cannot be written (a full disk), its task fails with such an error, and the file stays in order.
        A function that cannot be sent to a process, such as a lambda that captures something, is known by its type alone: what it has
        captured must be the same.
    */
    auto journal(std::filesystem::path path, journal_sync sync = journal_sync::never) const
    {
        using progress_type = std::decay_t<decltype(detail::callback_of(settings_.callback()))>;
        using journaling = detail::journaling<progress_type>;
        return blocking_handle<Workers, journaling>(
            core_, settings_.options(), journaling({std::move(path), sync}, detail::callback_of(settings_.callback())));
    }

    /** Adds a callback that gets the bill of each task: `pool.with({}).on_usage(std::ref(ledger)).map(f, xs)`.

        It is copied, and called where a progress callback is, as `callback(mp::usage)`, once for each task that ran to its end, before the call returns.
        See `call_handle::on_usage`.
    */
    template <class Callback>
    auto on_usage(Callback&& callback) const
    {
        static_assert(std::is_invocable_v<std::decay_t<Callback>&, const usage&>,
                      "twat::mp: a usage callback is called as callback(const mp::usage&)");
        if constexpr (detail::check_copied<Callback>()) {
            auto added =
                detail::add_usage(settings_.callback(), std::decay_t<Callback>(std::forward<Callback>(callback)));
            return blocking_handle<Workers, decltype(added)>(core_, settings_.options(), std::move(added));
        } else {
            return *this;
        }
    }

private:
    friend class detail::blocking_verbs<blocking_handle, Workers>;

    const std::shared_ptr<detail::blocking_core>& core() const noexcept { return core_; }
    const detail::call_settings<Progress>& settings() const noexcept { return settings_; }

    std::shared_ptr<detail::blocking_core> core_;
    detail::call_settings<Progress> settings_;
};

/** Workers that run functions for a program that waits for the results.

    The constructors begin to start the workers and do not wait for them; failures are reported by `start` or by the first
    call. The pool owns an execution context. Threads blocked in a call run it; otherwise a dedicated thread does.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, with the specific exception of destroying and `restart`. Several threads may call verbs at once.

    @par Example
    @code
    mp::process_pool pool(4);
    std::vector<int> squares = pool.map(square, inputs);
    @endcode

    @tparam Workers `process_workers`, `thread_workers`, or what another library has of `worker_traits`.
*/
template <class Workers = process_workers>
class multi_pool : public detail::blocking_verbs<multi_pool<Workers>, Workers>
{
    static_assert(worker_traits<Workers>,
                  "twat::mp: the workers of a pool are mp::process_workers, mp::thread_workers or another type with "
                  "mp::worker_traits");

public:
    /// `pool_options`, or what the workers have in their place.
    using options_type = typename Workers::options;

    /** Begins to start the workers.

        @throws std::invalid_argument that names the member, if an option is bad.
    */
    multi_pool(options_type options)
        : core_(detail::blocking_core::create(Workers::make(std::move(options)))),
          exceptions_(std::uncaught_exceptions())
    {}

    /// With the defaults of the options.
    multi_pool() : multi_pool(options_type()) {}

    /// With `nodes` workers; 0: as many as CPUs that this process may use.
    explicit multi_pool(std::size_t nodes) requires detail::has_nodes<options_type> : multi_pool(with_nodes(nodes)) {}

    /// @private A pool on a state that was made elsewhere.
    explicit multi_pool(std::shared_ptr<detail::blocking_core> core)
        : core_(std::move(core)), exceptions_(std::uncaught_exceptions())
    {}

    multi_pool(const multi_pool&) = delete;
    multi_pool& operator=(const multi_pool&) = delete;

    /** Closes and joins; terminates if it runs because of an exception.

        Neither waits for anything in the thread that serves the pool nor in one of its own tasks: there it only begins to end the pool.
        A pool on threads waits for running tasks, whichever way it ends.
    */
    ~multi_pool() { core_->end(std::uncaught_exceptions() > exceptions_); }

    /// How many workers there may be, never 0: `pool_options::nodes`, or what `resize` was given last. `stats().ready` tells how many there are.
    std::size_t nodes() const noexcept { return core_->pool()->nodes(); }

    /** Waits until every worker that is kept (`pool_options::min_nodes`) is ready, so that the first call need not.

        If a node's worker fails to start three times in a row while others are ready, this throws the reason; the pool serves with the others
        and goes on to try.

        @par Errors
        @li `errc::worker_start_failed`, `errc::initializer_failed`, `errc::pool_broken`: why a worker is not ready.
        @li `errc::pool_closed`, `errc::pool_terminated`, `errc::would_deadlock`.
    */
    void start() { core_->start(); }

    /// The same verbs, under options of their own: `pool.with({.timeout = 2s}).map(f, xs)`. Throws `std::invalid_argument` that names the
    /// member, if an option is bad.
    blocking_handle<Workers> with(const call_options& options) const { return {core_, options}; }

    /// The same verbs, with a progress callback: `pool.on_progress(std::ref(bar)).map(f, xs)`; see `blocking_handle::on_progress`.
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
    void resize(std::size_t nodes) { core_->pool()->resize(nodes); }

    /// Takes no more work: calls begun from now on throw `errc::pool_closed`.
    void close() { core_->pool()->close(); }

    /// Closes the pool, waits for its operations as long as they take, and ends the workers in order, within `stop_grace`. Throws
    /// `errc::would_deadlock` in one of the pool's own tasks.
    void join() { core_->join(); }

    /** Closes the pool, waits for its operations, but at most for `limit`, and ends the workers.

        Operations that are outstanding then throw `errc::pool_terminated`, as by `terminate`. Workers that have nothing to do end in order, within
        `stop_grace`. A pool on threads waits for running tasks, which are asked to stop. Throws as `join`.

        @param limit How long to wait for operations; zero or less: not at all; `duration::max()`: as long as they take.
    */
    drain_report drain(duration limit) { return core_->drain(limit); }

    /** Says what the busy workers do now: their tasks, and the stacks of their threads. Waits for their answers, 20 ms at most, and for names to
        be looked up, which may take a second in a large program. See `basic_async_pool::dump`.

        Throws `errc::would_deadlock` in a callback or a range of the pool, `errc::pool_closed` when the pool is gone.
    */
    pool_dump dump() const { return core_->dump(); }

    /// Kills the workers. Calls throw `errc::pool_terminated`, on threads when their running tasks have returned.
    void terminate() { core_->pool()->terminate(); }

    /** Begins anew, with the same options: closes and joins the pool, if need be, and begins to start new workers.

        Also after `close`, `join`, `drain` and `terminate`. Handles that `with` returned before stay with the old workers, and throw
        `errc::pool_closed`. Throws as `join`. Not while another thread uses the pool.
    */
    void restart()
    {
        core_->join();
        auto fresh = detail::blocking_core::create(core_->pool()->factory());
        core_->end(false);
        core_ = std::move(fresh);
    }

    /** Says what a tenant may have of the pool from now on, and has it counted by itself in `stats`; see `call_options::tenant`.

        For tenants that are known beforehand. Those whose ids have no end, such as clients' addresses, need no call: they share the
        workers' time equally, and nothing is kept of one that is not there any more.

        @throws std::invalid_argument that names the member, if an option is bad.
    */
    void set_tenant(tenant_id id, const tenant_options& options) { core_->pool()->set_tenant(id, options); }

    /// A snapshot of the pool's counters.
    pool_stats stats() const { return core_->pool()->stats(); }

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
        return detail::read_exit_results<R>(core_->pool()->factory()->options().finalizer,
                                            core_->pool()->exit_values());
    }

private:
    friend class detail::blocking_verbs<multi_pool, Workers>;
    friend struct detail::pool_access;

    static options_type with_nodes(std::size_t nodes)
    {
        options_type options;
        options.nodes = nodes;
        return options;
    }

    const std::shared_ptr<detail::blocking_core>& core() const noexcept { return core_; }
    detail::call_settings<> settings() const { return detail::call_settings<>(call_options()); }

    std::shared_ptr<detail::blocking_core> core_;
    const int exceptions_;
};

} // namespace twat::mp

#endif
