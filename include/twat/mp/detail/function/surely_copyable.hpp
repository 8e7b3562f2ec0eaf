// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_FUNCTION_SURELY_COPYABLE_HPP
#define TWAT_MP_DETAIL_FUNCTION_SURELY_COPYABLE_HPP

#include <filesystem>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace twat::mp::detail {

/** Whether a copy of a `T` can be made without asking the compiler to try.

    `std::is_copy_constructible` is true for a vector of `std::unique_ptr` and for a class that has one, whose copy does not compile. So this answers
    for types of which the parts are known, and no for all others.
*/
template <class T>
inline constexpr bool surely_copyable = [] {
    if constexpr (std::is_trivially_copyable_v<T>)
        return std::is_copy_constructible_v<T>;
    else if constexpr (std::ranges::range<T>)
        return std::is_copy_constructible_v<T> && !std::is_same_v<std::ranges::range_value_t<T>, T> &&
               surely_copyable<std::remove_cv_t<std::ranges::range_value_t<T>>> && !std::ranges::view<T> && requires
        {
            typename T::allocator_type;
        };
    else
        return false;
}();
template <>
inline constexpr bool surely_copyable<std::filesystem::path> = true;
template <class A, class B>
inline constexpr bool surely_copyable<std::pair<A, B>> =
    surely_copyable<std::remove_cv_t<A>>&& surely_copyable<std::remove_cv_t<B>>;
template <class... Ts>
inline constexpr bool surely_copyable<std::tuple<Ts...>> = (... && surely_copyable<std::remove_cv_t<Ts>>);

} // namespace twat::mp::detail

#endif
