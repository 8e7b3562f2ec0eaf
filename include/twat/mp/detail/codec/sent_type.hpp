// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_SENT_TYPE_HPP
#define TWAT_MP_DETAIL_CODEC_SENT_TYPE_HPP

#include <twat/mp/detail/codec/codec_base.hpp>

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

namespace twat::mp::detail {

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

template <class T>
struct sent_type
{
    using type = std::decay_t<T>;
};

template <class C>
requires is_character<C>
struct sent_type<const C*>
{
    using type = std::basic_string<C>;
};

template <class C, std::size_t N>
requires is_character<std::remove_const_t<C>>
struct sent_type<C[N]>
{
    using type = std::basic_string<std::remove_const_t<C>>;
};

/** The type as which an argument of type `T` crosses to another process: decayed, and a string literal as `std::string`. */
template <class T>
using sent_type_t = typename sent_type<
    std::conditional_t<std::is_array_v<std::remove_reference_t<T>>, std::remove_reference_t<T>, std::decay_t<T>>>::type;

/// An argument as its `sent_type_t`. Other values pass as they are, without a copy.
template <class T>
decltype(auto) as_sent(T&& value)
{
    using bare = std::remove_reference_t<T>;
    if constexpr (std::is_array_v<bare> && !std::is_same_v<sent_type_t<T>, std::decay_t<T>>) {
        // An array of characters need not end with a zero.
        return sent_type_t<T>(value, std::find(value, value + std::extent_v<bare>, std::remove_extent_t<bare>()));
    } else if constexpr (!std::is_same_v<sent_type_t<T>, std::decay_t<T>>) {
        if (value == nullptr)
            throw_bad_value("a pointer to characters is null");
        return sent_type_t<T>(value);
    } else {
        return std::forward<T>(value);
    }
}

} // namespace twat::mp::detail

#endif
