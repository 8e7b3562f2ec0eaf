// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_CONTEXT_POOL_HPP
#define TWAT_MP_DETAIL_OPERATION_CONTEXT_POOL_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>
#include <vector>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/config.hpp>

#include <twat/mp/detail/operation/range_holder.hpp>
#include <twat/mp/detail/operation/range_source.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

/// The one `async_multi_pool` of the executor's context, made at first use and ended with the context. Compiled once, in `src/pool`.
TWAT_MP_DECL async_multi_pool& context_pool(const asio::any_io_executor& executor);

/// How a range is kept until the coroutine runs: lvalue containers by reference, everything else by value.
template <class Range>
using kept_range_t = std::conditional_t<is_referred_range<Range>, Range, std::remove_cvref_t<Range>>;

template <class F, class... Ranges>
using context_map_result_t =
    task_result_t<task_function_t<F, typename zip_source<process_workers, Ranges...>::parameters>,
                  typename zip_source<process_workers, Ranges...>::parameters>;

template <class R>
using results_t =
    std::conditional_t<std::is_void_v<R>, void, std::vector<std::conditional_t<std::is_void_v<R>, int, R>>>;

/// `map` on the pool of the context of the coroutine that awaits this.
template <class F, class... Ranges>
asio::awaitable<results_t<context_map_result_t<F, Ranges...>>> map_on_context_pool(F f, kept_range_t<Ranges>... ranges)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto results = context_pool(executor).map(std::move(f), std::forward<kept_range_t<Ranges>>(ranges)...);
    co_return co_await std::move(results);
}

} // namespace twat::mp::detail

#endif
