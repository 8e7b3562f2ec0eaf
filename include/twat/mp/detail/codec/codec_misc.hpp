// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_MISC_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_MISC_HPP

#include <twat/mp/detail/codec/codec_base.hpp>
#include <twat/mp/detail/codec/codec_sums.hpp>

#include <boost/system/error_code.hpp>

#include <bitset>
#include <chrono>
#include <complex>
#include <concepts>
#include <string>
#include <system_error>

namespace twat::mp::detail {

template <class T>
inline constexpr bool bytewise<std::complex<T>> = bytewise<T> && sizeof(std::complex<T>) == 2 * sizeof(T);

template <class T>
struct builtin_codec<std::complex<T>>
{
    using parts = type_list<T>;
    static constexpr std::size_t min_size = 2 * detail::min_size<T>();

    static void encode(encoder& out, const std::complex<T>& value)
    {
        out.write(value.real());
        out.write(value.imag());
    }

    static std::complex<T> decode(decoder& in)
    {
        const T real = in.read<T>();
        return {real, in.read<T>()};
    }
};

template <std::size_t N>
struct builtin_codec<std::bitset<N>>
{
    using parts = type_list<>;
    static constexpr std::size_t min_size = (N + 7) / 8;

    static void encode(encoder& out, const std::bitset<N>& value)
    {
        std::byte* to = out.extend(min_size);
        for (std::size_t i = 0; i < N; i += 8, ++to) {
            unsigned bits = 0;
            for (std::size_t j = 0; j < 8 && i + j < N; ++j)
                bits |= static_cast<unsigned>(value[i + j]) << j;
            *to = static_cast<std::byte>(bits);
        }
    }

    static std::bitset<N> decode(decoder& in)
    {
        const std::byte* from = in.read_bytes(min_size);
        std::bitset<N> value;
        for (std::size_t i = 0; i < N; ++i)
            value[i] = (std::to_integer<unsigned>(from[i / 8]) >> (i % 8) & 1) != 0;
        return value;
    }
};

template <class Rep, class Period>
inline constexpr bool bytewise<std::chrono::duration<Rep, Period>> = bytewise<Rep> &&
                                                                     sizeof(std::chrono::duration<Rep, Period>) ==
                                                                         sizeof(Rep);

template <class Rep, class Period>
struct builtin_codec<std::chrono::duration<Rep, Period>>
{
    using duration = std::chrono::duration<Rep, Period>;
    using parts = type_list<Rep>;
    static constexpr std::size_t min_size = detail::min_size<Rep>();

    static void encode(encoder& out, const duration& value) { out.write(value.count()); }
    static duration decode(decoder& in) { return duration(in.read<Rep>()); }
};

template <class Clock, class Duration>
inline constexpr bool bytewise<std::chrono::time_point<Clock, Duration>> =
    bytewise<Duration> && sizeof(std::chrono::time_point<Clock, Duration>) == sizeof(Duration);

/// Those of a steady clock too: all processes of one machine read the same one.
template <class Clock, class Duration>
struct builtin_codec<std::chrono::time_point<Clock, Duration>>
{
    using time_point = std::chrono::time_point<Clock, Duration>;
    using parts = type_list<Duration>;
    static constexpr std::size_t min_size = detail::min_size<Duration>();

    static void encode(encoder& out, const time_point& value) { out.write(value.time_since_epoch()); }
    static time_point decode(decoder& in) { return time_point(in.read<Duration>()); }
};

/// A value that is made from a number of type `Number` and gives it back.
template <class T, class Number, Number (*Get)(const T&)>
struct number_codec
{
    using parts = type_list<>;
    static constexpr std::size_t min_size = sizeof(Number);

    static void encode(encoder& out, const T& value) { write_raw(out, Get(value)); }
    static T decode(decoder& in) { return T(read_raw<Number>(in)); }
};

inline int number_of(const std::chrono::year& value) { return static_cast<int>(value); }
inline unsigned number_of(const std::chrono::month& value) { return static_cast<unsigned>(value); }
inline unsigned number_of(const std::chrono::day& value) { return static_cast<unsigned>(value); }
inline unsigned number_of(const std::chrono::weekday& value) { return value.c_encoding(); }

template <>
struct builtin_codec<std::chrono::year> : number_codec<std::chrono::year, int, &number_of>
{};
template <>
struct builtin_codec<std::chrono::month> : number_codec<std::chrono::month, unsigned, &number_of>
{};
template <>
struct builtin_codec<std::chrono::day> : number_codec<std::chrono::day, unsigned, &number_of>
{};
template <>
struct builtin_codec<std::chrono::weekday> : number_codec<std::chrono::weekday, unsigned, &number_of>
{};

template <>
struct builtin_codec<std::chrono::year_month_day>
{
    using date = std::chrono::year_month_day;
    using parts = type_list<>;
    static constexpr std::size_t min_size = 3 * sizeof(int);

    static void encode(encoder& out, const date& value)
    {
        out.write(value.year());
        out.write(value.month());
        out.write(value.day());
    }

    static date decode(decoder& in)
    {
        return date{in.read<std::chrono::year>(), in.read<std::chrono::month>(), in.read<std::chrono::day>()};
    }
};

/// Paths of the standard library and of Boost, without their headers.
template <class T>
concept path_like = std::is_class_v<T> && requires(const T& path)
{
    typename T::string_type;
    T::preferred_separator;
    {
        path.native()
        } -> std::same_as<const typename T::string_type&>;
    T(typename T::string_type());
};

template <path_like T>
struct builtin_codec<T>
{
    using parts = type_list<typename T::string_type>;
    static constexpr std::size_t min_size = sizeof(std::uint64_t);

    static void encode(encoder& out, const T& value) { out.write(value.native()); }
    static T decode(decoder& in) { return T(in.read<typename T::string_type>()); }
};

// A category is an object, known by its address. Those that are known everywhere are sent by number, others by name; see
// `categories.hpp`.
TWAT_MP_DECL void encode_code(encoder& out, const std::error_code& value);
TWAT_MP_DECL void encode_code(encoder& out, const boost::system::error_code& value);
TWAT_MP_DECL void decode_code(decoder& in, std::error_code& value);
TWAT_MP_DECL void decode_code(decoder& in, boost::system::error_code& value);

template <class Code>
struct code_codec
{
    using parts = type_list<>;
    static constexpr std::size_t min_size = 1 + sizeof(int);

    static void encode(encoder& out, const Code& value) { encode_code(out, value); }

    static Code decode(decoder& in)
    {
        Code value;
        decode_code(in, value);
        return value;
    }
};

template <>
struct builtin_codec<std::error_code> : code_codec<std::error_code>
{};
template <>
struct builtin_codec<boost::system::error_code> : code_codec<boost::system::error_code>
{};

} // namespace twat::mp::detail

#endif
