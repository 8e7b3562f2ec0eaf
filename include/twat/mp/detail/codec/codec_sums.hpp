// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_SUMS_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_SUMS_HPP

#include <twat/mp/detail/codec/codec_base.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace twat::mp::detail {

inline void write_flag(encoder& out, bool flag) { *out.extend(1) = static_cast<std::byte>(flag); }

inline bool read_flag(decoder& in)
{
    const auto byte = read_raw<unsigned char>(in);
    if (byte > 1)
        throw_bad_bytes("a flag is neither 0 nor 1");
    return byte == 1;
}

template <>
struct builtin_codec<std::monostate>
{
    using parts = type_list<>;
    static constexpr std::size_t min_size = 0;

    static void encode(encoder&, std::monostate) {}
    static std::monostate decode(decoder&) { return {}; }
};

template <class T>
struct builtin_codec<std::optional<T>>
{
    using parts = type_list<T>;
    static constexpr std::size_t min_size = 1;

    static void encode(encoder& out, const std::optional<T>& value)
    {
        write_flag(out, value.has_value());
        if (value)
            out.write(*value);
    }

    static std::optional<T> decode(decoder& in)
    {
        if (!read_flag(in))
            return std::nullopt;
        return std::optional<T>(std::in_place, in.read<T>());
    }
};

/// Whether an object behind a pointer to `T` may be more than a `T`; a codec of one's own can know what to do then.
template <class T>
concept perhaps_derived = std::is_polymorphic_v<T> && !std::is_final_v<T> && !custom_coded<T>;

/// Null pointers too. The object is written as the `T` that it is declared to be.
template <class T>
requires(!std::is_array_v<T> && !perhaps_derived<T>) struct builtin_codec<std::unique_ptr<T>>
{
    using parts = type_list<T>;
    static constexpr std::size_t min_size = 1;

    static void encode(encoder& out, const std::unique_ptr<T>& value)
    {
        write_flag(out, value != nullptr);
        if (value)
            out.write(*value);
    }

    static std::unique_ptr<T> decode(decoder& in)
    {
        if (!read_flag(in))
            return nullptr;
        return std::unique_ptr<T>(new T(in.read<T>()));
    }
};

template <class... Ts>
struct builtin_codec<std::variant<Ts...>>
{
    using parts = type_list<Ts...>;
    using index_type = std::uint16_t;
    static constexpr std::size_t min_size = sizeof(index_type);
    using variant = std::variant<Ts...>;

    static void encode(encoder& out, const variant& value)
    {
        if (value.valueless_by_exception())
            throw_bad_value("a variant is valueless by exception");
        write_raw(out, static_cast<index_type>(value.index()));
        std::visit([&](const auto& alternative) { out.write(alternative); }, value);
    }

    static variant decode(decoder& in)
    {
        const std::size_t index = read_raw<index_type>(in);
        if (index >= sizeof...(Ts))
            throw_bad_bytes("the index of a variant is out of range");
        // clang-format off
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            using reader = variant (*)(decoder&);
            static constexpr reader readers[]{&read_alternative<I>...};
            return readers[index](in);
        }(std::index_sequence_for<Ts...>());
        // clang-format on
    }

private:
    template <std::size_t I>
    static variant read_alternative(decoder& in)
    {
        return variant(std::in_place_index<I>, in.read<std::variant_alternative_t<I, variant>>());
    }
};

} // namespace twat::mp::detail

#endif
