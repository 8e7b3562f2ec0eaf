// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_SCALARS_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_SCALARS_HPP

#include <twat/mp/detail/codec/archive_probe.hpp>
#include <twat/mp/detail/codec/codec_base.hpp>

#include <limits>

namespace twat::mp::detail {

template <class T>
inline constexpr bool is_int128 = false;
#if defined(__SIZEOF_INT128__)
// std::is_arithmetic says no to these under -std=c++20 and yes under -std=gnu++20.
__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;
template <>
inline constexpr bool is_int128<int128> = true;
template <>
inline constexpr bool is_int128<uint128> = true;
#endif

/// Arithmetic types and enums; `bool` and `long double` have codecs apart.
template <class T>
concept plain_scalar = (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_int128<T>)&&!std::is_const_v<T> &&
                       !std::is_volatile_v<T>;

template <class T>
constexpr bool is_bool_like()
{
    if constexpr (std::is_enum_v<T>)
        return std::is_same_v<std::underlying_type_t<T>, bool>;
    else
        return std::is_same_v<T, bool>;
}

template <plain_scalar T>
constexpr bool is_bytewise_scalar()
{
    if constexpr (std::is_enum_v<T>)
        return !is_bool_like<T>() && !custom_coded<T> && !archived<T>;
    else
        return !is_bool_like<T>() && !custom_coded<T> && !std::is_same_v<T, long double>;
}

template <plain_scalar T>
inline constexpr bool bytewise<T> = is_bytewise_scalar<T>();

template <plain_scalar T>
struct builtin_codec<T>
{
    using parts = type_list<>;
    static constexpr std::size_t min_size = sizeof(T);

    static void encode(encoder& out, const T& value)
    {
        if constexpr (std::is_same_v<T, long double>) {
            // Its padding is whatever lay there before; it must not leave the process.
            constexpr std::size_t used = std::numeric_limits<T>::digits == 64 ? 10 : sizeof(T);
            std::byte* to = out.extend(sizeof(T));
            std::memset(to, 0, sizeof(T));
            std::memcpy(to, &value, used);
        } else {
            write_raw(out, value);
        }
    }

    static T decode(decoder& in)
    {
        if constexpr (is_bool_like<T>()) {
            const auto byte = read_raw<unsigned char>(in);
            if (byte > 1)
                throw_bad_bytes("a bool is neither 0 nor 1");
            return static_cast<T>(byte == 1);
        } else {
            return read_raw<T>(in);
        }
    }
};

} // namespace twat::mp::detail

#endif
