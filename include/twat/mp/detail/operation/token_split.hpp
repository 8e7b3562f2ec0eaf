// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_TOKEN_SPLIT_HPP
#define TWAT_MP_DETAIL_OPERATION_TOKEN_SPLIT_HPP

#include <boost/asio/async_result.hpp>

#include <cstddef>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/operation/initiate.hpp>
#include <twat/mp/detail/function/parameter.hpp>
#include <twat/mp/detail/operation/range_holder.hpp>
#include <twat/mp/detail/function/stateful.hpp>
#include <twat/mp/detail/function/task_traits.hpp>

namespace twat::mp::detail {

// Whether the last argument of a verb is the completion token.

template <class... As>
struct last_argument
{
    using type = void;
};

template <class A, class... As>
struct last_argument<A, As...>
{
    using type = std::tuple_element_t<sizeof...(As), std::tuple<A, As...>>;
};

template <class... As>
using last_argument_t = typename last_argument<As...>::type;

/// The parameters of a task whose arguments are all of `As` but the last.
template <class Workers, class Indices, class... As>
struct leading_parameters;

template <class Workers, std::size_t... Is, class... As>
struct leading_parameters<Workers, std::index_sequence<Is...>, As...>
{
    using type = parameter_list<parameter_t<Workers, std::tuple_element_t<Is, std::tuple<As...>>>...>;
};

template <class Workers, class... As>
using leading_parameters_t =
    typename leading_parameters<Workers, std::make_index_sequence<sizeof...(As) - 1>, As...>::type;

/// `f(all but the last)` is a valid call and the last is a token for it.
template <class Workers, class F, class... As>
concept apply_with_token =
    sizeof...(As) != 0 &&
    is_task<task_function_t<F, leading_parameters_t<Workers, As...>>, leading_parameters_t<Workers, As...>>&& asio::
        completion_token_for<
            last_argument_t<As...>,
            completion_signature_t<task_result_t<task_function_t<F, leading_parameters_t<Workers, As...>>,
                                                 leading_parameters_t<Workers, As...>>>>;

/// `f(all)` is a valid call.
template <class Workers, class F, class... As>
concept apply_without_token = is_task<task_function_t<F, parameter_list<parameter_t<Workers, As>...>>,
                                      parameter_list<parameter_t<Workers, As>...>>;

/// As a constant: a compiler that finds a concept unsatisfied tells at length why.
template <class Token, class Signature>
inline constexpr bool is_completion_token = asio::completion_token_for<Token, Signature>;

template <class A>
inline constexpr bool is_range_argument = holdable_range<A>;

template <>
inline constexpr bool is_range_argument<void> = true;

/// Of the arguments of `transform_reduce`: that they are (xs, ys, init, op, f), and not (range, init, op, f, token) with a range as init.
template <class Second, class Third>
inline constexpr bool are_two_ranges =
    is_range_argument<Second> &&
    !std::is_invocable_v<const std::decay_t<Third>&, std::decay_t<Second>, std::decay_t<Second>>;

/// The last argument is a `std::stop_token`.
template <class... As>
inline constexpr bool ends_with_stop_token =
    std::is_same_v<std::remove_cvref_t<last_argument_t<As...>>, std::stop_token>;

/// For `apply`: and `f(all but the last)` is a valid call.
template <class Workers, class F, class... As>
inline constexpr bool calls_without_stop_token = false;

template <class Workers, class F, class... As>
requires ends_with_stop_token<As...>
inline constexpr bool calls_without_stop_token<Workers, F, As...> =
    is_task<task_function_t<F, leading_parameters_t<Workers, As...>>, leading_parameters_t<Workers, As...>>;

/// Calls `f(last, all but the last...)`.
template <class Function, class... As>
decltype(auto) with_last_first(Function&& f, As&&... arguments)
{
    auto all = std::forward_as_tuple(std::forward<As>(arguments)...);
    // clang-format off
    return [&]<std::size_t... Is>(std::index_sequence<Is...>) -> decltype(auto) {
        return std::forward<Function>(f)(std::get<sizeof...(As) - 1>(std::move(all)), std::get<Is>(std::move(all))...);
    }(std::make_index_sequence<sizeof...(As) - 1>());
    // clang-format on
}

} // namespace twat::mp::detail

#endif
