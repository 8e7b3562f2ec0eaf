// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_CALL_RESULT_HPP
#define TWAT_MP_DETAIL_FUNCTION_CALL_RESULT_HPP

#include <boost/asio/awaitable.hpp>

#include <type_traits>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

template <class T>
struct call_result
{
    static constexpr bool is_awaitable = false;
    using type = std::decay_t<T>;
};

template <class T, class Executor>
struct call_result<asio::awaitable<T, Executor>>
{
    static_assert(std::is_same_v<Executor, asio::any_io_executor>,
                  "twat::mp: a task must return boost::asio::awaitable<T> with its default executor type");
    static constexpr bool is_awaitable = true;
    using type = std::decay_t<T>;
};

/// What calling `f` as const with rvalues of `Args` returns, as it is.
template <class F, class... Args>
using raw_result_t = std::invoke_result_t<const F&, Args...>;

/// The result of one task: decayed, and without the `awaitable` around it.
template <class F, class... Args>
using call_result_t = typename call_result<std::remove_cvref_t<raw_result_t<F, Args...>>>::type;

/// Whether a task is a coroutine.
template <class F, class... Args>
inline constexpr bool is_coroutine_call = call_result<std::remove_cvref_t<raw_result_t<F, Args...>>>::is_awaitable;

} // namespace twat::mp::detail

#endif
