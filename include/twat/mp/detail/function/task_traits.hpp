// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_TASK_TRAITS_HPP
#define TWAT_MP_DETAIL_FUNCTION_TASK_TRAITS_HPP

#include <boost/asio/awaitable.hpp>

#include <type_traits>
#include <variant>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

template <class... Ts>
struct parameter_list
{};

template <class T>
struct awaited
{
    using type = T;
    static constexpr bool coroutine = false;
};

template <class T>
struct awaited<asio::awaitable<T>>
{
    using type = T;
    static constexpr bool coroutine = true;
};

// A task's parameters are written as the function gets them: `T` is an rvalue that the task owns, `const T&` an element of
// the caller's range.

template <class F, class Parameters>
inline constexpr bool is_task = false;

template <class F, class... Ps>
inline constexpr bool is_task<F, parameter_list<Ps...>> = std::is_invocable_v<const F&, Ps...>;

template <class F, class Parameters>
struct task_traits;

/// What calling `const F` with the parameters gives.
template <class F, class... Ps>
struct task_traits<F, parameter_list<Ps...>>
{
    using returned = std::invoke_result_t<const F&, Ps...>;
    static constexpr bool coroutine = awaited<std::remove_cvref_t<returned>>::coroutine;
    using result = std::decay_t<typename awaited<std::remove_cvref_t<returned>>::type>;
    /// What keeps a result: `void` has no objects.
    using value = std::conditional_t<std::is_void_v<result>, std::monostate, result>;
};

template <class F, class Parameters>
using task_result_t = typename task_traits<F, Parameters>::result;

template <class F, class Parameters>
using task_value_t = typename task_traits<F, Parameters>::value;

} // namespace twat::mp::detail

#endif
