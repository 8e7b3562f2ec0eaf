// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_AGGREGATE_HPP
#define TWAT_MP_DETAIL_CODEC_AGGREGATE_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/detail/codec/codec_base.hpp>
#include <twat/mp/detail/codec/with_members.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

// The members of an aggregate, by number: how many, of which types, and references to them.
//
// Boost.PFR does this too, but answers what it cannot take apart with errors deep inside itself and counts the members of
// types that are not default constructible in quadratic time. Here every question has an answer that a concept can use.

namespace twat::mp::detail {

inline constexpr std::size_t max_members = 100;

/// Becomes whatever a member of `T` is, when `T` is initialised with braces, but not a base of `T`. Never evaluated.
template <class T, bool Copyable = std::is_copy_constructible_v<T>>
struct any_member
{
    template <class U>
    requires(!std::is_base_of_v<U, T>) operator U&() const&& noexcept;
    template <class U>
    requires(!std::is_base_of_v<U, T>) operator U&() const& noexcept;
};

template <class T>
struct any_member<T, false>
{
    template <class U>
    requires(!std::is_base_of_v<U, T>) operator U() const&& noexcept;
};

/// Becomes a base of `T` and nothing else.
template <class T, bool Copyable = std::is_copy_constructible_v<T>>
struct any_base
{
    template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>) operator U&() const&& noexcept;
    template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>) operator U&() const& noexcept;
};

template <class T>
struct any_base<T, false>
{
    template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>) operator U() const&& noexcept;
};

template <class T, std::size_t>
using repeated = T;

/// Whether `T{first, one for each I}` can be written; `T` an aggregate.
template <class T, class Any, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>)
{
    return requires { T{std::declval<repeated<Any, I>>()...}; };
}

template <class T, class Any, std::size_t N = 1>
constexpr std::size_t count_initializers()
{
    // A member without default constructor makes a few initializers too few, so look on until some number was enough.
    if constexpr (takes<T, Any>(std::make_index_sequence<N>())) {
        if constexpr (N > max_members || !takes<T, Any>(std::make_index_sequence<N + 1>()))
            return N;
        else
            return count_initializers<T, Any, N + 1>();
    } else if constexpr (N > max_members) {
        return 0;
    } else if constexpr (N == 1 && takes<T, Any>(std::index_sequence<>())) {
        return 0;
    } else {
        return count_initializers<T, Any, N + 1>();
    }
}

template <class T, class Any, std::size_t... Before, std::size_t... Behind>
constexpr bool takes_empty_braces(std::index_sequence<Before...>, std::index_sequence<Behind...>)
{
    return requires { T{std::declval<repeated<Any, Before>>()..., {}, std::declval<repeated<Any, Behind>>()...}; };
}

/** Whether the initializer at `I` of `N` begins a C array of several elements.

    Without braces of its own an array swallows as many initializers as it has elements. So, where one is replaced by
    `{}`, which is the whole array, as many as before cannot follow; fewer can.
*/
template <class T, class Any, std::size_t I, std::size_t N>
constexpr bool begins_array()
{
    if constexpr (takes_empty_braces<T, Any>(std::make_index_sequence<I>(), std::make_index_sequence<N - I - 1>()))
        return false;
    else if constexpr (takes<T, Any>(std::index_sequence<>()))
        return takes_empty_braces<T, Any>(std::make_index_sequence<I>(), std::index_sequence<>());
    else
        // clang-format off
        return []<std::size_t... Behind>(std::index_sequence<Behind...>) {
            return (takes_empty_braces<T, Any>(std::make_index_sequence<I>(), std::make_index_sequence<Behind>()) || ...);
        }(std::make_index_sequence<N - I - 1>());
    // clang-format on
}

template <class T, class Any, std::size_t N>
constexpr bool has_array()
{
    // clang-format off
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return (begins_array<T, Any, I, N>() || ...);
    }(std::make_index_sequence<N>());
    // clang-format on
}

/// Why an aggregate cannot be taken apart.
enum class aggregate_fault { none, has_base, has_array, too_many_members, unknown };

struct aggregate_shape
{
    std::size_t members = 0;
    aggregate_fault fault = aggregate_fault::none;
};

template <class T, std::size_t... Behind>
constexpr bool takes_base(std::index_sequence<Behind...>)
{
    return requires { T{std::declval<any_base<T>>(), std::declval<repeated<any_member<T>, Behind>>()...}; };
}

template <class T, std::size_t N>
constexpr bool has_base()
{
    if constexpr (takes<T, any_member<T>>(std::index_sequence<>()))
        return takes_base<T>(std::index_sequence<>());
    else
        // clang-format off
        return []<std::size_t... Behind>(std::index_sequence<Behind...>) {
            return (takes_base<T>(std::make_index_sequence<Behind>()) || ...);
        }(std::make_index_sequence<N + 1>());
    // clang-format on
}

template <class T>
constexpr aggregate_shape find_shape()
{
    if constexpr (std::is_empty_v<T>) {
        return {};
    } else {
        constexpr std::size_t members = count_initializers<T, any_member<T>>();
        constexpr std::size_t counted = members > max_members ? max_members : members;
        if constexpr (has_base<T, counted>())
            return {0, aggregate_fault::has_base};
        else if constexpr (members == 0)
            return {0, aggregate_fault::unknown};
        else if constexpr (has_array<T, any_member<T>, counted>())
            return {0, aggregate_fault::has_array};
        else if constexpr (members > max_members)
            return {0, aggregate_fault::too_many_members};
        else
            return {members, aggregate_fault::none};
    }
}

/// @pre `std::is_aggregate_v<T>`, not a union
template <class T>
inline constexpr aggregate_shape shape_of = find_shape<T>();

/// Calls `f` with all members of `value`. Bit-fields arrive as values.
template <class T, class F>
constexpr decltype(auto) visit_members(T& value, F&& f)
{
    return detail::with_members(value, f, size_constant<shape_of<std::remove_const_t<T>>.members>());
}

/// The types of the members as declared, references and const included.
template <class T>
using member_types =
    decltype(detail::with_members(std::declval<T&>(), list_types(), size_constant<shape_of<T>.members>()));

/// @pre `shape_of<T>.members != 0`
template <class T>
inline constexpr bool has_bit_field =
    !decltype(detail::with_members(std::declval<T&>(), try_to_bind(), size_constant<shape_of<T>.members>()))::value;

} // namespace twat::mp::detail

#endif
