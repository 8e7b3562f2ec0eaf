// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_BLOCKING_VERBS_HPP
#define TWAT_MP_DETAIL_OPERATION_BLOCKING_VERBS_HPP

#include <exception>
#include <future>
#include <memory>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/future.hpp>
#include <twat/mp/result_range.hpp>

#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/detail/operation/calls.hpp>
#include <twat/mp/detail/operation/fold_operation.hpp>
#include <twat/mp/detail/operation/stop_request.hpp>
#include <twat/mp/detail/operation/token_split.hpp>
#include <twat/mp/detail/completion/future_completion.hpp>

namespace twat::mp::detail {

/** The verbs of blocking pools, for the pool and for what its `with` returns.

    `Derived` has `core()`, a `blocking_core`, and `settings()`.

    Every verb that waits throws `errc::would_deadlock` at once where it could never return: in progress callbacks, in `on_event` and
    in ranges that are pulled, which run in the pool's own thread or in one that waits for it. In a task of the pool itself (threads) it
    runs tasks of its operation while it waits, so parallel calls may be nested.
*/
template <class Derived, class Workers>
class blocking_verbs
{
public:
    /** Calls `f(args...)` once, on a worker, waits for it and returns its result.

        If `f` returns `asio::awaitable<R>` the task is a coroutine, and its result `R`. `f` is called as const, with rvalues of the decayed
        arguments. For processes it must be portable, the arguments and the result encodable.

        @par Errors
        @li What `f` throws.
        @li `errc::worker_died` as `mp::worker_died`, if the worker's process ended in the task.
        @li `errc::task_timed_out`, `errc::deadline_exceeded`, by the call's options.
        @li `errc::pool_closed`, `errc::pool_terminated`, `errc::pool_broken`, `errc::queue_full`, by the pool's state.
        @li `errc::would_deadlock`, if it was called where it could never return.
        @li `asio::error::operation_aborted`, if it was stopped.

        @par Cancellation
        If `f(all but the last argument)` is a valid call and the last argument is a `std::stop_token`, it does not go to `f`: a request to
        stop cancels the call as by `asio::cancellation_type::terminal`, capped by `call_options::cancel_limit`.

        @par Thread Safety
        May be called from any thread, by several at once.
    */
    template <class F, class... As>
    auto apply(F&& f, As&&... args) const
    {
        if constexpr (calls_without_stop_token<Workers, F, As...>)
            return with_last_first(
                [&](const std::stop_token& stop, auto&&... arguments) {
                    return run(choose([&]<class W>() {
                                   return make_apply_call<W>(self().settings(), std::forward<F>(f),
                                                             std::forward<decltype(arguments)>(arguments)...);
                               }),
                               stop);
                },
                std::forward<As>(args)...);
        else
            return run(choose([&]<class W>() {
                return make_apply_call<W>(self().settings(), std::forward<F>(f), std::forward<As>(args)...);
            }));
    }

    /** Calls `f(x, y, ...)` for the elements of the ranges, side by side, up to the end of the shortest; waits for all and returns a
        `std::vector` of the results in the order of the input, or nothing if they are `void`.

        The calls run concurrently. At the first failure, tasks that have not begun are dropped; the call waits for those that run and
        throws the failure with the lowest index.

        @par Object Lifetimes
        An lvalue container is referred to; rvalues and views are moved (or copied) in. Ranges are pulled in the pool's own thread, or
        one that waits for it, while tasks are handed out. Processes call `f` with an rvalue of each range's value type; threads
        likewise, except that a forward range of lvalue references passes the element itself as const&.

        @par Errors
        As for `apply`; and what a range throws.

        @par Cancellation
        The ranges may be followed by a `std::stop_token`, as for `apply`. On threads the call still waits for the tasks that run.

        @par Thread Safety
        May be called from any thread, by several at once.
    */
    template <class F, class... As>
    auto map(F&& f, As&&... args) const
    {
        return run_range<map_verb>(std::forward<F>(f), std::forward<As>(args)...);
    }

    /** As `map`, with the elements of one range as argument lists.

        They are `std::tuple`, `std::pair`, `std::array` or `boost::tuple`, so `boost::combine(xs, ys)` works.
    */
    template <class F, class... As>
    auto starmap(F&& f, As&&... args) const
    {
        return run_range<starmap_verb>(std::forward<F>(f), std::forward<As>(args)...);
    }

    /** As `map`, but never stops early: returns a `std::vector<mp::result<R>>`.

        Throws only where no task is to blame: a deadline, a range that throws, the pool's end.
    */
    template <class F, class... As>
    auto try_map(F&& f, As&&... args) const
    {
        return run_range<try_map_verb>(std::forward<F>(f), std::forward<As>(args)...);
    }

    /** Reduces a range where it is: `op(... op(op(init, f(x0)), f(x1)) ..., f(xn))`, for an associative `op`.

        The range is cut into parts, each of which is folded in one worker; one value of each part comes back, and those are put together in the
        order of the input. With several ranges `f` is called as by `map`. `op` need not be commutative. The value begins as `init`, and
        for an empty range is `init`; `f`'s results convert to its type `T`, and `op` takes two `T`, or a `T` and such a result.

        A part has `call_options::chunk_size` elements, or as many as make about 32 parts for each worker; with `call_options::deterministic`
        the parts, and so the rounding of floating-point numbers, are the same for any number of workers. A range that does not know its size is
        cut into parts of 1, then 2, 4 ... up to 4096 elements. A timeout holds for a part.

        @par Errors
        As for `map`, with the index of the element. Of a death or a timeout it is the index of its part's first element.

        @par Cancellation
        As for `map`, by a `std::stop_token` behind the ranges.

        @par Object Lifetimes
        As for `map`. `f` and `op` are called as const, on threads by several at once; `op` also in the thread that serves the pool, once for each
        part.

        @par Example
        @code
        double sum = pool.reduce(area, std::plus<>(), 0.0, shapes);
        @endcode
    */
    template <class F, class Op, class T, class... As>
    auto reduce(F&& f, Op&& op, T&& init, As&&... args) const
    {
        return run_fold(
            [&](auto&&... ranges) {
                return choose([&]<class W>() {
                    return make_reduce_call<W>(self().settings(), *self().core()->pool(), std::forward<F>(f),
                                               std::forward<Op>(op), std::forward<T>(init),
                                               std::forward<decltype(ranges)>(ranges)...);
                });
            },
            std::forward<As>(args)...);
    }

    /// `reduce`, spelled as in the standard library: `transform_reduce(range, init, op, f)`.
    template <class Range, class T, class Op, class F, class... Stop>
    requires(sizeof...(Stop) == 0 || !are_two_ranges<T, Op>) auto transform_reduce(Range&& range, T&& init, Op&& op,
                                                                                   F&& f, Stop&&... stop) const
    {
        return reduce(std::forward<F>(f), std::forward<Op>(op), std::forward<T>(init), std::forward<Range>(range),
                      std::forward<Stop>(stop)...);
    }

    /// The same of two ranges, side by side: `transform_reduce(xs, ys, init, op, f)` calls `f(x, y)`.
    template <class Xs, class Ys, class T, class Op, class F, class... Stop>
    requires are_two_ranges<Ys, T>
    auto transform_reduce(Xs&& xs, Ys&& ys, T&& init, Op&& op, F&& f, Stop&&... stop) const
    {
        return reduce(std::forward<F>(f), std::forward<Op>(op), std::forward<T>(init), std::forward<Xs>(xs),
                      std::forward<Ys>(ys), std::forward<Stop>(stop)...);
    }

    /// Calls `f` for the elements of the ranges, as `map`, and drops what it returns. Elements go to workers in parts, as for `reduce`.
    /// `f` may be a coroutine.
    template <class F, class... As>
    void for_each(F&& f, As&&... args) const
    {
        run_fold(
            [&](auto&&... ranges) {
                return choose([&]<class W>() {
                    return make_each_call<W>(self().settings(), *self().core()->pool(), std::forward<F>(f),
                                             std::forward<decltype(ranges)>(ranges)...);
                });
            },
            std::forward<As>(args)...);
    }

    /// The elements of a range for which `predicate(element)` is true, as a `std::vector` in the order of the input. They go to workers in parts,
    /// as for `reduce`, and only those that are kept come back. `predicate` may be a coroutine: `asio::awaitable<bool>`.
    template <class Predicate, class... As>
    auto filter(Predicate&& predicate, As&&... args) const
    {
        return run_fold(
            [&](auto&&... ranges) {
                return choose([&]<class W>() {
                    return make_filter_call<W>(self().settings(), *self().core()->pool(),
                                               std::forward<Predicate>(predicate),
                                               std::forward<decltype(ranges)>(ranges)...);
                });
            },
            std::forward<As>(args)...);
    }

    /** As `map`, lazily: returns a `result_range` of the results in the order of the input. The tasks start at once and run ahead of
        the reader by the call's window, so the ranges may be endless.

        @par Object Lifetimes
        As for `map`; an lvalue container must live as long as the range that is returned.

        @par Cancellation
        The ranges may be followed by a `std::stop_token`: once it is requested to stop, no further task begins and the range ends with
        `asio::error::operation_aborted` behind what is there. If that was requested before, this throws it and nothing begins.
    */
    template <class F, class... As>
    auto imap(F&& f, As&&... args) const
    {
        return stream(stream_order::input, std::forward<F>(f), std::forward<As>(args)...);
    }

    /// As `imap`, in the order of completion; `result_range::index` tells which element it was.
    template <class F, class... As>
    auto uimap(F&& f, As&&... args) const
    {
        return stream(stream_order::completion, std::forward<F>(f), std::forward<As>(args)...);
    }

    /** As `map`, without waiting: returns an `mp::future` of the results, which is a `std::future` that can also cancel. It may be dropped: its
        destructor neither waits nor cancels.

        In a task of the same pool the future is a deferred one (`wait_for` says so): `get` and `wait` run tasks of the call meanwhile,
        so they never deadlock.

        @par Object Lifetimes
        As for `map`; an lvalue container must live until the future is ready.
    */
    template <class F, class... Ranges>
    auto amap(F&& f, Ranges&&... ranges) const
    {
        return begin(choose([&]<class W>() {
            return make_range_call<map_verb, W>(self().settings(), std::forward<F>(f), std::forward<Ranges>(ranges)...);
        }));
    }

    /// As `apply`, without waiting: returns an `mp::future` of the result; see `amap`.
    template <class F, class... As>
    auto submit(F&& f, As&&... args) const
    {
        return begin(choose([&]<class W>() {
            return make_apply_call<W>(self().settings(), std::forward<F>(f), std::forward<As>(args)...);
        }));
    }

protected:
    blocking_verbs() = default;
    ~blocking_verbs() = default;
    blocking_verbs(const blocking_verbs&) = default;
    blocking_verbs& operator=(const blocking_verbs&) = default;

private:
    const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

    /// Makes a call for the pool's workers; see `make_call_for`.
    template <class Make>
    auto choose(Make make) const
    {
        return make_call_for<Workers>(*self().core()->pool(), std::move(make));
    }

    template <class Make, class... As>
    auto run_fold(Make make_call, As&&... args) const
    {
        if constexpr (ends_with_stop_token<As...>)
            return with_last_first(
                [&](const std::stop_token& stop, auto&&... ranges) {
                    return run(make_call(std::forward<decltype(ranges)>(ranges)...), stop);
                },
                std::forward<As>(args)...);
        else
            return run(make_call(std::forward<As>(args)...));
    }

    template <class Verb, class F, class... As>
    auto run_range(F&& f, As&&... args) const
    {
        if constexpr (ends_with_stop_token<As...>)
            return with_last_first(
                [&](const std::stop_token& stop, auto&&... ranges) {
                    return run(choose([&]<class W>() {
                                   return make_range_call<Verb, W>(self().settings(), std::forward<F>(f),
                                                                   std::forward<decltype(ranges)>(ranges)...);
                               }),
                               stop);
                },
                std::forward<As>(args)...);
        else {
            static_cast<void>(
                check_ranges<Verb, As...>()); // here the compiler has the least to tell about how it came to it
            return run(choose([&]<class W>() {
                return make_range_call<Verb, W>(self().settings(), std::forward<F>(f), std::forward<As>(args)...);
            }));
        }
    }

    void run(refused_call, const std::stop_token& = {}) const {}
    void begin(refused_call) const {}

    template <class Call>
    typename Call::completed run(Call call, const std::stop_token& stop = {}) const
    {
        using completed = typename Call::completed;
        blocking_core& core = *self().core();
        try {
            core.check_may_wait();
            stop_watch::check(stop);
        }
        catch (...) {
            std::exception_ptr error = std::current_exception();
            if constexpr (requires { call.with_arguments(error); })
                error = call.with_arguments(std::move(error));
            std::rethrow_exception(error);
        }
        const auto waiting = std::make_shared<blocking_call<completed>>();
        auto op = std::move(call).make(blocking_completion<completed>(waiting));
        if (core.pool()->runs_task_here())
            waiting->let_help(core.pool(), op);
        stop_watch watch;
        core.wait(*waiting, [&] {
            const cancel_request request(core.pool(), op);
            watch.start(stop, request); // an inline pool runs the call in `submit`
            core.submit(std::exchange(op, nullptr));
            watch.start(stop, request); // again: what came before `submit` had no effect
        });
        return take<completed>(*waiting);
    }

    template <class Call>
    auto begin(Call call) const
    {
        using completed = typename Call::completed;
        const std::shared_ptr<blocking_core>& core = self().core();
        if (core->pool()->runs_task_here())
            return begin_nested(std::move(call));
        auto signal = std::make_shared<completion_signal>();
        future_completion<completed> completion(signal);
        auto result = completion.get_future();
        auto op = std::move(call).make(std::move(completion));
        cancel_request request(core->pool(), op);
        core->submit(op);
        return future<completed>(std::move(result), std::move(request), std::move(signal));
    }

    /// In a task of the pool itself: who waits for the future there runs tasks of the operation meanwhile, so it is a deferred one.
    template <class Call>
    future<typename Call::completed> begin_nested(Call call) const
    {
        using completed = typename Call::completed;
        const std::shared_ptr<blocking_core>& core = self().core();
        auto waiting = std::make_shared<blocking_call<completed>>();
        auto op = std::move(call).make(blocking_completion<completed>(waiting));
        cancel_request request(core->pool(), op);
        core->submit(op);
        auto wait = [core, waiting = std::move(waiting), op = std::weak_ptr(op)] {
            if (const auto running = op.lock(); running && core->pool()->runs_task_here())
                waiting->let_help(core->pool(), running);
            return take<completed>(*waiting);
        };
        return future<completed>(std::async(std::launch::deferred, std::move(wait)), std::move(request), nullptr);
    }

    /// Waits for a call and gives its result.
    template <class Completed>
    static Completed take(blocking_call<Completed>& waiting)
    {
        waiting.wait();
        if (auto error = waiting.take_error())
            std::rethrow_exception(std::move(error));
        if constexpr (!std::is_void_v<Completed>)
            return std::move(*waiting.value);
    }

    template <class F, class... As>
    auto stream(stream_order order, F&& f, As&&... args) const
    {
        if constexpr (ends_with_stop_token<As...>)
            return with_last_first(
                [&](const std::stop_token& stop, auto&&... ranges) {
                    return start_stream(stop, order, std::forward<F>(f), std::forward<decltype(ranges)>(ranges)...);
                },
                std::forward<As>(args)...);
        else
            return start_stream(std::stop_token(), order, std::forward<F>(f), std::forward<As>(args)...);
    }

    template <class F, class... Ranges>
    auto start_stream(const std::stop_token& stop, stream_order order, F&& f, Ranges&&... ranges) const
    {
        if constexpr (check_stream<Workers, F, Ranges...>()) {
            const std::shared_ptr<blocking_core>& core = self().core();
            core->check_usable();
            stop_watch::check(stop);
            // Through the blocking core, which knows whether anybody still serves the pool.
            auto state = make_stream_for<Workers>(*core->pool(), [&]<class W>() {
                return start_stream_state<W>(
                    core->pool(), order, self().settings(), [&](const auto& op) { core->submit(op); },
                    std::forward<F>(f), std::forward<Ranges>(ranges)...);
            });
            using value = typename decltype(state)::element_type::value_type;
            return result_range<value>(core, std::move(state), stop);
        }
    }
};

} // namespace twat::mp::detail

#endif
