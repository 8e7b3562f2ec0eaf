// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_POOL_VERBS_HPP
#define TWAT_MP_DETAIL_OPERATION_POOL_VERBS_HPP

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/result_stream.hpp>

#include <twat/mp/detail/operation/awaited_call.hpp>
#include <twat/mp/detail/operation/calls.hpp>
#include <twat/mp/detail/operation/fold_operation.hpp>
#include <twat/mp/detail/operation/token_split.hpp>

namespace twat::mp::detail {

/** The verbs of asynchronous pools, for the pool and for what its `with` returns.

    `Derived` has `core()`, `settings()` and `get_executor()`.
*/
template <class Derived, class Workers, class Executor>
class pool_verbs
{
public:
    using executor_type = Executor;

    /** Calls `f(args...)` once, on a worker.

        If `f(all but the last argument)` is a valid call and the last argument is a completion token for its result, it is the
        token; otherwise all are arguments. If `f` returns `asio::awaitable<R>` the task is a coroutine, and its result `R`.

        @par Object Lifetimes
        `f` and the arguments are decayed into the operation. `f` is called as const, with rvalues of the arguments. For processes it
        must be portable, the arguments and the result encodable.

        @par Completion Signature
        @code void(std::exception_ptr, R) @endcode or, if the result is `void`, `void(std::exception_ptr)`. `R` must be
        default-constructible, because a handler gets one also when there is none.

        @par Executor
        `f` runs on a worker. The completion handler runs on its associated executor, or on `get_executor()` if it has none, and
        never from inside this function.

        @par Allocator
        The handler is kept in memory from its associated allocator, which is given back before the handler is called, and posted with that
        allocator as far as its executor passes it on (`any_io_executor` does not). What the workers share of the operation may outlive the
        handler, and does not come from there.

        @par Per-Operation Cancellation
        @li `terminal`: as `partial`; a worker process that is still in a plain task after `cancel_grace` is killed and replaced.
        @li `partial`: the task is dropped if it has not begun; a coroutine receives the cancellation, a plain task its stop
            token, and its result is dropped.
        @li `total`: dropped if the task has not begun; otherwise no effect.

        On threads the operation completes when a running task has returned, on processes at once.

        @par Errors
        @li What `f` throws.
        @li `errc::worker_died` as `mp::worker_died`, if the worker's process ended in the task.
        @li `errc::task_timed_out`, `errc::deadline_exceeded`, by the call's options.
        @li `errc::pool_closed`, `errc::pool_terminated`, `errc::pool_broken`, `errc::queue_full`, by the pool's state.
        @li `asio::error::operation_aborted`, if it was cancelled or the pool destroyed.

        @par Exception Safety
        Throws only what copying the arguments throws.

        @par Thread Safety
        May be called from any thread.

        @par Example
        @code
        int n = co_await pool.apply(count_words, path);
        @endcode
    */
    template <class F, class... As>
    requires apply_with_token<Workers, F, As...>
    auto apply(F&& f, As&&... args) const
    {
        return with_last_first(
            [&]<class Token, class... Bs>(Token&& token, Bs&&... arguments) {
                return start_apply<Token>(token, std::forward<F>(f), std::forward<Bs>(arguments)...);
            },
            std::forward<As>(args)...);
    }

    template <class F, class... As>
    requires(!apply_with_token<Workers, F, As...> &&
             apply_without_token<Workers, F, As...>) auto apply(F&& f, As&&... args) const
    {
        asio::use_awaitable_t<Executor> token;
        return start_apply<asio::use_awaitable_t<Executor>>(token, std::forward<F>(f), std::forward<As>(args)...);
    }

    template <class F, class... As>
    void apply(F&&, As&&...) const
    {
        static_assert(
            apply_with_token<Workers, F, As...> || apply_without_token<Workers, F, As...>,
            "twat::mp: apply(f, args...) cannot call f with these arguments, nor with all but the last and that one "
            "as completion token. f is called as const, with rvalues of the decayed arguments");
    }

    /** Calls `f(x, y, ...)` for the elements of the ranges, side by side, up to the end of the shortest.

        The calls run concurrently. The results are in the order of the input. At the first failure, tasks that have not begun are
        dropped; the operation waits for those that run and throws the failure with the lowest index. If `f` returns
        `asio::awaitable<R>` tasks are coroutines.

        @par Object Lifetimes
        `f` is decayed into the operation and called as const, on threads by several at once. An lvalue container is referred to and
        must live until completion; rvalues and views are moved (or copied) in. Ranges are pulled on the pool's strand while tasks are
        handed out. Processes call `f` with an rvalue of each range's value type; threads likewise, except that a forward range of
        lvalue references passes the element itself as const&.

        @par Completion Signature
        @code void(std::exception_ptr, std::vector<R>) @endcode or, if the result is `void`, `void(std::exception_ptr)`

        @par Executor
        As for `apply`.

        @par Per-Operation Cancellation
        As for `apply`, for all its tasks: `total` has an effect while none has begun.

        @par Errors
        As for `apply`; and what a range throws.

        @par Thread Safety
        May be called from any thread.

        @par Example
        @code
        std::vector<int> squares = co_await pool.map(square, inputs);
        @endcode

        @param f The function.
        @param args The ranges; behind them, if it is not a range, a completion token. By default the result is awaitable.
    */
    template <class F, class... As>
    auto map(F&& f, As&&... args) const
    {
        return start_range<map_verb>(std::forward<F>(f), std::forward<As>(args)...);
    }

    /** As `map`, with the elements of one range as argument lists.

        They are `std::tuple`, `std::pair`, `std::array` or `boost::tuple`, so `boost::combine(xs, ys)` works.

        @par Completion Signature
        @code void(std::exception_ptr, std::vector<R>) @endcode or, if the result is `void`, `void(std::exception_ptr)`
    */
    template <class F, class... As>
    auto starmap(F&& f, As&&... args) const
    {
        return start_range<starmap_verb>(std::forward<F>(f), std::forward<As>(args)...);
    }

    /** As `map`, but never stops early: every element has its own result.

        Fails as a whole only where no task is to blame: cancellation, a deadline, a range that throws, the pool's end.

        @par Completion Signature
        @code void(std::exception_ptr, std::vector<mp::result<R>>) @endcode
    */
    template <class F, class... As>
    auto try_map(F&& f, As&&... args) const
    {
        return start_range<try_map_verb>(std::forward<F>(f), std::forward<As>(args)...);
    }

    /** Reduces a range where it is: `op(... op(op(init, f(x0)), f(x1)) ..., f(xn))`, for an associative `op`.

        The range is cut into parts, each of which is folded in one worker; one value of each part comes back, and those are put together in the
        order of the input. With several ranges `f` is called as by `map`. `op` need not be commutative. The value begins as `init`, and
        for an empty range is `init`; `f`'s results convert to its type `T`, and `op` takes two `T`, or a `T` and such a result.

        A part has `call_options::chunk_size` elements, or as many as make about 32 parts for each worker; with `call_options::deterministic`
        the parts, and so the rounding of floating-point numbers, are the same for any number of workers. A range that does not know its size is
        cut into parts of 1, then 2, 4 ... up to 4096 elements. A timeout holds for a part.

        If `f` returns `asio::awaitable<R>` a part is one coroutine task, which awaits one element after the other; a worker has up to
        `child_concurrency` parts at once. Then there are about 8 parts for each of these places, and 32 at least for each worker.

        @par Errors
        As for `map`, with the index of the element. Of a death or a timeout it is the index of its part's first element.

        @par Object Lifetimes
        As for `map`. `f` and `op` are called as const, on threads by several at once; `op` also on the pool's strand, once for each part.

        @par Completion Signature
        @code void(std::exception_ptr, T) @endcode

        @par Executor
        As for `apply`; `f` and `op` run on workers.

        @par Per-Operation Cancellation
        As for `map`.

        @par Thread Safety
        May be called from any thread.

        @par Example
        @code
        double sum = co_await pool.reduce(area, std::plus<>(), 0.0, shapes);
        @endcode
    */
    template <class F, class Op, class T, class... As>
    auto reduce(F&& f, Op&& op, T&& init, As&&... args) const
    {
        return start_fold(
            [&](auto&&... ranges) {
                return choose([&]<class W>() {
                    return make_reduce_call<W>(self().settings(), *self().core(), std::forward<F>(f),
                                               std::forward<Op>(op), std::forward<T>(init),
                                               std::forward<decltype(ranges)>(ranges)...);
                });
            },
            std::forward<As>(args)...);
    }

    /// `reduce`, spelled as in the standard library: `transform_reduce(range, init, op, f, token)`.
    template <class Range, class T, class Op, class F, class... Token>
    requires(sizeof...(Token) == 0 || !are_two_ranges<T, Op>) auto transform_reduce(Range&& range, T&& init, Op&& op,
                                                                                    F&& f, Token&&... token) const
    {
        return reduce(std::forward<F>(f), std::forward<Op>(op), std::forward<T>(init), std::forward<Range>(range),
                      std::forward<Token>(token)...);
    }

    /// The same of two ranges, side by side: `transform_reduce(xs, ys, init, op, f, token)` calls `f(x, y)`.
    template <class Xs, class Ys, class T, class Op, class F, class... Token>
    requires are_two_ranges<Ys, T>
    auto transform_reduce(Xs&& xs, Ys&& ys, T&& init, Op&& op, F&& f, Token&&... token) const
    {
        return reduce(std::forward<F>(f), std::forward<Op>(op), std::forward<T>(init), std::forward<Xs>(xs),
                      std::forward<Ys>(ys), std::forward<Token>(token)...);
    }

    /** Calls `f` for the elements of the ranges, as `map`, and drops what it returns. Elements go to workers in parts, as for `reduce`. `f` may be
        a coroutine.

        @par Completion Signature
        @code void(std::exception_ptr) @endcode

        @par Executor
        As for `apply`.

        @par Per-Operation Cancellation
        As for `map`.

        @par Errors
        As for `reduce`.

        @par Thread Safety
        May be called from any thread.
    */
    template <class F, class... As>
    auto for_each(F&& f, As&&... args) const
    {
        return start_fold(
            [&](auto&&... ranges) {
                return choose([&]<class W>() {
                    return make_each_call<W>(self().settings(), *self().core(), std::forward<F>(f),
                                             std::forward<decltype(ranges)>(ranges)...);
                });
            },
            std::forward<As>(args)...);
    }

    /** The elements of a range for which `predicate(element)` is true, in the order of the input. They go to workers in parts, as for
        `reduce`, and only those that are kept come back. `predicate` may be a coroutine: `asio::awaitable<bool>`.

        @par Completion Signature
        @code void(std::exception_ptr, std::vector<T>) @endcode

        @par Executor
        As for `apply`.

        @par Per-Operation Cancellation
        As for `map`.

        @par Errors
        As for `reduce`.

        @par Thread Safety
        May be called from any thread.
    */
    template <class Predicate, class... As>
    auto filter(Predicate&& predicate, As&&... args) const
    {
        return start_fold(
            [&](auto&&... ranges) {
                return choose([&]<class W>() {
                    return make_filter_call<W>(self().settings(), *self().core(), std::forward<Predicate>(predicate),
                                               std::forward<decltype(ranges)>(ranges)...);
                });
            },
            std::forward<As>(args)...);
    }

    /** As `map`, as a stream of the results in the order of the input. The tasks start at once and run ahead of the reader by the
        call's window, so the ranges may be endless.

        A task that fails is told by the read of its element, and ends nothing.

        @par Object Lifetimes
        As for `map`; an lvalue container must live until the stream's end (and see `result_stream` for one that is destroyed before).
    */
    template <class F, class... Ranges>
    auto imap(F&& f, Ranges&&... ranges) const
    {
        return start_stream<Workers>(self().core(), stream_order::input, self().settings(), std::forward<F>(f),
                                     std::forward<Ranges>(ranges)...);
    }

    /** As `imap`, in the order of completion; `result_stream::index` tells which element it was. */
    template <class F, class... Ranges>
    auto uimap(F&& f, Ranges&&... ranges) const
    {
        return start_stream<Workers>(self().core(), stream_order::completion, self().settings(), std::forward<F>(f),
                                     std::forward<Ranges>(ranges)...);
    }

protected:
    pool_verbs() = default;
    ~pool_verbs() = default;
    pool_verbs(const pool_verbs&) = default;
    pool_verbs& operator=(const pool_verbs&) = default;

private:
    const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

    /// Makes a call for the pool's workers; see `make_call_for`.
    template <class Make>
    auto choose(Make make) const
    {
        return make_call_for<Workers>(*self().core(), std::move(make));
    }

    template <class Token, class Call>
    auto start(Token& token, Call call) const
    {
        if constexpr (!std::is_same_v<Call, refused_call>) {
            using signature = completion_signature_t<typename Call::completed>;
            call_initiation<Executor> initiation(self().core(), self().get_executor());
            if constexpr (is_use_awaitable<std::decay_t<Token>>)
                return asio::async_initiate<Token, signature>(
                    std::move(initiation), token,
                    awaited_call_for<std::decay_t<Token>, signature, typename Call::completed, Executor>(
                        std::move(call)));
            else
                return asio::async_initiate<Token, signature>(std::move(initiation), token, std::move(call));
        }
    }

    template <class Token, class F, class... As>
    auto start_apply(std::remove_reference_t<Token>& token, F&& f, As&&... arguments) const
    {
        auto call = choose([&]<class W>() {
            return make_apply_call<W>(self().settings(), std::forward<F>(f), std::forward<As>(arguments)...);
        });
        using completed = typename decltype(call)::completed;
        if constexpr (!std::is_void_v<completed>)
            static_assert(std::is_default_constructible_v<completed>,
                          "twat::mp: the result of apply must be default-constructible, because a completion handler "
                          "gets one also "
                          "when there is none; return std::optional<R> instead");
        return start<Token>(token, std::move(call));
    }

    /// @param make_call Makes a call of the ranges.
    template <class Make, class... As>
    auto start_fold(Make make_call, As&&... args) const
    {
        if constexpr (is_range_argument<last_argument_t<As...>>) {
            asio::use_awaitable_t<Executor> token;
            return start_folding<asio::use_awaitable_t<Executor>>(token, make_call(std::forward<As>(args)...));
        } else if constexpr (sizeof...(As) == 1) {
            static_assert(sizeof...(As) != 1,
                          "twat::mp: this verb needs a range behind the function, before the completion token");
        } else {
            return with_last_first(
                [&]<class Token, class... Rs>(Token&& token, Rs&&... ranges) {
                    return start_folding<Token>(token, make_call(std::forward<Rs>(ranges)...));
                },
                std::forward<As>(args)...);
        }
    }

    template <class Token, class Call>
    auto start_folding(std::remove_reference_t<Token>& token, Call call) const
    {
        using completed = typename Call::completed;
        constexpr bool has_default = std::is_void_v<completed> || std::is_default_constructible_v<completed>;
        static_assert(
            has_default,
            "twat::mp: the type of init must be default-constructible, because a completion handler gets one also when "
            "there is none; use std::optional");
        constexpr bool fits = is_completion_token<Token, completion_signature_t<completed>>;
        static_assert(fits || std::is_same_v<Call, refused_call>,
                      "twat::mp: the last argument is neither a range nor a completion token for the result");
        if constexpr (has_default && fits)
            return start<Token>(token, std::move(call));
    }

    template <class Verb, class F, class... As>
    auto start_range(F&& f, As&&... args) const
    {
        if constexpr (is_range_argument<last_argument_t<As...>>) {
            static_cast<void>(
                check_ranges<Verb, As...>()); // here the compiler has the least to tell about how it came to it
            asio::use_awaitable_t<Executor> token;
            return start<asio::use_awaitable_t<Executor>>(
                token, choose([&]<class W>() {
                    return make_range_call<Verb, W>(self().settings(), std::forward<F>(f), std::forward<As>(args)...);
                }));
        } else if constexpr (sizeof...(As) == 1) {
            static_assert(sizeof...(As) != 1,
                          "twat::mp: this verb needs a range behind the function, before the completion token");
        } else {
            return with_last_first(
                [&]<class Token, class... Rs>(Token&& token, Rs&&... ranges) {
                    auto call = choose([&]<class W>() {
                        return make_range_call<Verb, W>(self().settings(), std::forward<F>(f),
                                                        std::forward<Rs>(ranges)...);
                    });
                    using signature = completion_signature_t<typename decltype(call)::completed>;
                    constexpr bool fits = is_completion_token<Token, signature>;
                    static_assert(
                        fits || std::is_same_v<decltype(call), refused_call>,
                        "twat::mp: the last argument is neither a range nor a completion token for the result");
                    if constexpr (fits)
                        return start<Token>(token, std::move(call));
                },
                std::forward<As>(args)...);
        }
    }
};

} // namespace twat::mp::detail

#endif
