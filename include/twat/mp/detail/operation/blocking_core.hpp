// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BLOCKING_CORE_HPP
#define TWAT_MP_DETAIL_OPERATION_BLOCKING_CORE_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/drain_report.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>

namespace twat::mp::detail {

/** What a thread waits for: told once by `finish`, waited for by `blocking_core::wait`. Shared by the two sides.

    The thread may run the pool's context while it waits: see `context_driver` in `src/pool`.
*/
class TWAT_MP_DECL blocking_wait
{
public:
    blocking_wait() = default;
    blocking_wait(const blocking_wait&) = delete;
    blocking_wait& operator=(const blocking_wait&) = delete;

    void finish(std::exception_ptr error = {}) noexcept;
    /// Makes it wait once more. Only while nobody could finish it.
    void reset() noexcept;
    bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }
    /// The exception that it was finished with. @pre `finished()`
    std::exception_ptr take_error() noexcept;

    /// The waiting thread runs a task of `pool`: it will run tasks of `op` meanwhile. Comes before `wait`.
    void let_help(const std::shared_ptr<pool_core>& pool, const std::shared_ptr<operation>& op) noexcept;
    void wait() { wait_until(std::chrono::steady_clock::time_point::max()); }
    /// The same, until `limit` at most.
    void wait_until(std::chrono::steady_clock::time_point limit);

    /// Waits until it is finished or promoted, or for so long: it is the waiting thread's turn to run the context.
    void wait_or_promoted(std::chrono::steady_clock::time_point limit);
    void promote(bool now) noexcept;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> finished_{false}; // changed under the mutex
    bool promoted_ = false;
    std::exception_ptr error_;
    std::weak_ptr<pool_core> helped_;
    std::weak_ptr<operation> op_;
};

/** A pool's state with the context that it runs on and the thread that is kept to run that: what blocking pools, their `with` handles and
    their streams share. Every member may be called from any thread.

    Compiled once, in `src/pool`.
*/
class TWAT_MP_DECL blocking_core
{
public:
    /// Makes the pool and begins to start its workers. Throws `std::invalid_argument`, as `pool_core::create`.
    static std::shared_ptr<blocking_core> create(std::shared_ptr<const backend_factory> factory);

    /// The same without workers: the thread that makes a call runs it. @param encodes Whether its tasks are made as bytes.
    static std::shared_ptr<blocking_core> create_inline(std::shared_ptr<const backend_factory> factory, bool encodes);

    virtual ~blocking_core();

    virtual const std::shared_ptr<pool_core>& pool() const noexcept = 0;

    /// Throws what a call of a verb that waits would have to throw now: `errc::would_deadlock` in a handler of the pool's context
    /// (callbacks, ranges), `errc::pool_closed` when the pool has ended, `std::logic_error` in a forked process.
    virtual void check_may_wait() const = 0;
    /// The same for a verb that does not wait.
    virtual void check_usable() const = 0;

    /// Hands an operation over; it may complete at once, with an error.
    virtual void submit(const std::shared_ptr<operation>& op) = 0;

    /// Calls `begin()`, and returns when what it began has finished `until`, or after `limit`. Runs the pool's context meanwhile, or tasks of
    /// the operation that `until` was allowed to help.
    virtual void wait(blocking_wait& until, const std::function<void()>& begin, duration limit = duration::max()) = 0;

    virtual void start() = 0;
    virtual void join() = 0;
    virtual drain_report drain(duration limit) = 0;
    virtual pool_dump dump() = 0;

    /// The pool object is gone: closes and joins, or terminates. Ends the thread that is kept. Does not wait where it must not: in a handler
    /// of the pool's context and in the pool's own tasks.
    virtual void end(bool terminate) noexcept = 0;
};

/// The completion of an operation for which a thread waits.
template <class T>
class blocking_call : public blocking_wait
{
public:
    std::optional<T> value;
};

template <>
class blocking_call<void> : public blocking_wait
{};

/** Called by an operation: finishes a `blocking_call`. */
template <class T>
class blocking_completion
{
public:
    explicit blocking_completion(std::shared_ptr<blocking_call<T>> call) noexcept : call_(std::move(call)) {}
    blocking_completion(blocking_completion&&) noexcept = default;
    blocking_completion& operator=(blocking_completion&&) = delete;
    ~blocking_completion()
    {
        if (call_) // Nobody waits for ever, even if the operation is lost.
            call_->finish(make_aborted());
    }

    void operator()(std::exception_ptr error) noexcept { fail(std::move(error)); }

    template <class Value>
    void operator()(std::exception_ptr error, Value&& value) noexcept
    {
        try {
            if (!error)
                call_->value.emplace(std::forward<Value>(value));
        }
        catch (...) {
            error = std::current_exception();
        }
        fail(std::move(error));
    }

    /// Also without an error, if there is no value.
    void fail(std::exception_ptr error) noexcept { std::exchange(call_, nullptr)->finish(std::move(error)); }

private:
    std::shared_ptr<blocking_call<T>> call_;
};

} // namespace twat::mp::detail

#endif
