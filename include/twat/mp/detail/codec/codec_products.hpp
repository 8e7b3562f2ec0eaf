// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_PRODUCTS_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_PRODUCTS_HPP

#include <twat/mp/detail/codec/codec_base.hpp>

#include <array>
#include <tuple>
#include <utility>

namespace twat::mp::detail {

template <class A, class B>
struct builtin_codec<std::pair<A, B>>
{
    using parts = type_list<A, B>;
    static constexpr std::size_t min_size = detail::min_size<A>() + detail::min_size<B>();

    static void encode(encoder& out, const std::pair<A, B>& value)
    {
        out.write(value.first);
        out.write(value.second);
    }

    // Braces read from left to right.
    static std::pair<A, B> decode(decoder& in) { return std::pair<A, B>{in.read<A>(), in.read<B>()}; }
};

template <class... Ts>
struct builtin_codec<std::tuple<Ts...>>
{
    using parts = type_list<Ts...>;
    static constexpr std::size_t min_size = (std::size_t{} + ... + detail::min_size<Ts>());

    static void encode(encoder& out, const std::tuple<Ts...>& value)
    {
        std::apply([&](const Ts&... elements) { (out.write(elements), ...); }, value);
    }

    static std::tuple<Ts...> decode(decoder& in)
    {
        static_cast<void>(in);
        return std::tuple<Ts...>{in.read<Ts>()...};
    }
};

// One without elements takes no bytes but has a size.
template <class T, std::size_t N>
inline constexpr bool bytewise<std::array<T, N>> = N != 0 && bytewise<T> && sizeof(std::array<T, N>) == N * sizeof(T) &&
                                                   !custom_coded<std::array<T, N>>;

template <class T, std::size_t N>
struct builtin_codec<std::array<T, N>>
{
    using parts = type_list<T>;
    static constexpr std::size_t min_size = N * detail::min_size<T>();
    using array = std::array<T, N>;

    static void encode(encoder& out, const array& values)
    {
        if constexpr (bytewise<array>) {
            write_raw(out, values);
        } else {
            for (const T& value : values)
                out.write(value);
        }
    }

    static array decode(decoder& in)
    {
        if constexpr (bytewise<array>) {
            return read_raw<array>(in);
        } else if constexpr (N > 16 && std::is_default_constructible_v<T> && std::is_move_assignable_v<T>) {
            array values{};
            for (T& value : values)
                value = in.read<T>();
            return values;
        } else {
            static_cast<void>(in);
            // clang-format off
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return array{{((void)I, in.read<T>())...}};
            }(std::make_index_sequence<N>());
            // clang-format on
        }
    }
};

} // namespace twat::mp::detail

#endif
