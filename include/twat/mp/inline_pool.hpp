// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_INLINE_POOL_HPP
#define TWAT_MP_INLINE_POOL_HPP

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/pool_dump.hpp>

#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/blocking_verbs.hpp>

namespace twat::mp {

/** A pool without workers, for debuggers and tests: the thread that makes a call runs its tasks, one after the other.

    It has the verbs of `multi_pool`. `submit` and `amap` run the call before they return; streams run a task when their reader needs its
    result, in the window of the call. Initializer and finalizer run in the calling thread, before the first call and at the end. What needs a
    second thread is left out: priorities and `queue_timeout` have no effect, a task that exceeds its `timeout` fails once it has returned, and
    a cancellation or deadline counts between two tasks. A task can call the pool that runs it.

    As `inline_process_pool` it treats functions and values as worker processes do: they must be portable and encodable, and all of them become
    bytes and values again.

    @par Thread Safety
    Distinct objects: safe. Shared objects: safe, with the specific exception of destroying.

    @par Example
    @code
    mp::inline_process_pool pool;
    std::vector<int> squares = pool.map(square, inputs); // a breakpoint in square stops here, with this caller
    @endcode

    @tparam Workers In whose place it stands: `thread_workers` or `process_workers`.
*/
template <class Workers>
class basic_inline_pool : public detail::blocking_verbs<basic_inline_pool<Workers>, Workers>
{
public:
    /// @throws std::invalid_argument that names the member, if an option is bad. `nodes` is not looked at.
    explicit basic_inline_pool(pool_options options = {})
        : core_(
              detail::blocking_core::create_inline(Workers::make(with_one_node(std::move(options))), Workers::encodes)),
          exceptions_(std::uncaught_exceptions())
    {}

    basic_inline_pool(const basic_inline_pool&) = delete;
    basic_inline_pool& operator=(const basic_inline_pool&) = delete;

    /// Runs the finalizer, unless an exception is under way.
    ~basic_inline_pool() { core_->end(std::uncaught_exceptions() > exceptions_); }

    /// 1.
    std::size_t nodes() const noexcept { return 1; }
    /// Runs the initializer, if it has not run. Throws `errc::initializer_failed`, its exception nested.
    void start() { core_->start(); }
    /// See `multi_pool`; so for all that follows.
    blocking_handle<Workers> with(const call_options& options) const { return {core_, options}; }
    /// The same verbs, with a progress callback; see `blocking_handle::on_progress`.
    template <class Callback>
    auto on_progress(Callback&& callback) const
    {
        return with(call_options()).on_progress(std::forward<Callback>(callback));
    }
    /// As `multi_pool::close`.
    void close() { core_->pool()->close(); }
    /// As `multi_pool::join`.
    void join() { core_->join(); }
    /** As `multi_pool::dump`. Busy are the threads that are in a call of this pool: asked from another thread it tells what they run, and their stacks; from a task
        of the pool, also that task. All are worker 0. */
    pool_dump dump() const { return core_->dump(); }

    /// As `multi_pool::drain`.
    drain_report drain(duration limit) { return core_->drain(limit); }
    /// As `multi_pool::terminate`.
    void terminate() { core_->pool()->terminate(); }
    /// A snapshot of the pool's counters.
    pool_stats stats() const { return core_->pool()->stats(); }

    /// As `multi_pool::exit_results`.
    template <class R>
    std::vector<R> exit_results() const
    {
        return detail::read_exit_results<R>(core_->pool()->factory()->options().finalizer,
                                            core_->pool()->exit_values());
    }

private:
    friend class detail::blocking_verbs<basic_inline_pool, Workers>;
    friend struct detail::pool_access;

    static pool_options with_one_node(pool_options options)
    {
        options.nodes = 1;
        return options;
    }

    const std::shared_ptr<detail::blocking_core>& core() const noexcept { return core_; }
    detail::call_settings<> settings() const { return detail::call_settings<>(call_options()); }

    const std::shared_ptr<detail::blocking_core> core_;
    const int exceptions_;
};

/// In the place of a pool of threads: takes any callable and any value.
using inline_pool = basic_inline_pool<thread_workers>;
/// In the place of a pool of processes: what they would refuse is refused.
using inline_process_pool = basic_inline_pool<process_workers>;

} // namespace twat::mp

#endif
