// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_POOL_SCOPE_HPP
#define TWAT_MP_DETAIL_OPERATION_POOL_SCOPE_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/fwd.hpp>
#include <twat/mp/options.hpp>

#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

template <class Workers, class Body>
struct pool_for_body
{
    using type = basic_async_pool<Workers>;
};

template <class Body>
struct pool_for_body<void, Body>
{
    static constexpr bool takes_processes = std::is_invocable_v<std::decay_t<Body>&, async_multi_pool&>;
    static constexpr bool takes_threads = std::is_invocable_v<std::decay_t<Body>&, async_thread_pool&>;
    static_assert(takes_processes || takes_threads,
                  "twat::mp: the body of with_pool takes an mp::async_multi_pool& or an mp::async_thread_pool&");
    static_assert(
        !(takes_processes && takes_threads),
        "twat::mp: the body of with_pool takes every pool; say which: with_pool<mp::process_workers>(options, body)");
    using type = std::conditional_t<takes_threads, async_thread_pool, async_multi_pool>;
};

/// The options of the pool that `with_pool` makes.
template <class Workers>
struct options_of
{
    using type = typename Workers::options;
};

template <>
struct options_of<void>
{
    using type = pool_options;
};

template <class Workers>
using options_of_t = typename options_of<Workers>::type;

template <class Workers, class Body>
using pool_for_body_t = typename pool_for_body<Workers, Body>::type;

/// Ends the pool of a scope: in order, or at once if the scope failed or the wait for the pool is cancelled.
template <class Pool>
asio::awaitable<std::exception_ptr> end_pool(Pool& pool, std::exception_ptr error)
{
    // A coroutine that was cancelled must still wait for its workers.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    if (!error) {
        try {
            co_await pool.join();
        }
        catch (...) {
            error = std::current_exception();
        }
    }
    if (error) {
        pool.terminate();
        // With a slot of its own, so that nothing cuts this wait short.
        auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
        try {
            co_await pool.join(token);
        }
        catch (...) {
            // The first failure is the one to tell.
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return error;
}

template <class Pool, class Body, class T = typename awaited<std::invoke_result_t<std::decay_t<Body>&, Pool&>>::type>
asio::awaitable<T> run_in_pool_scope(typename Pool::options_type options, std::decay_t<Body> body)
{
    const auto executor = co_await asio::this_coro::executor;
    Pool pool(executor, std::move(options));
    std::exception_ptr error;
    std::conditional_t<std::is_void_v<T>, int, std::optional<T>> value{};
    try {
        auto running = std::invoke(body, pool);
        if constexpr (std::is_void_v<T>)
            co_await std::move(running);
        else
            value.emplace(co_await std::move(running));
    }
    catch (...) {
        error = std::current_exception();
    }
    auto ended = end_pool(pool, std::move(error));
    if (auto failure = co_await std::move(ended))
        std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<T>)
        co_return std::move(*value);
}

template <class Pool, class Body>
auto run_in_pool(typename Pool::options_type options, Body&& body)
{
    static_assert(std::is_invocable_v<std::decay_t<Body>&, Pool&>,
                  "twat::mp: the body of with_pool cannot be called with a reference to this pool");
    static_assert(awaited<std::invoke_result_t<std::decay_t<Body>&, Pool&>>::coroutine,
                  "twat::mp: the body of with_pool is a coroutine: it returns asio::awaitable<T>");
    return run_in_pool_scope<Pool, Body>(std::move(options), std::forward<Body>(body));
}

} // namespace twat::mp::detail

#endif
