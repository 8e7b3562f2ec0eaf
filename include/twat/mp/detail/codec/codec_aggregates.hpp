// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_CODEC_CODEC_AGGREGATES_HPP
#define TWAT_MP_DETAIL_CODEC_CODEC_AGGREGATES_HPP

#include <twat/mp/detail/codec/aggregate.hpp>
#include <twat/mp/detail/codec/codec_base.hpp>
#include <twat/mp/detail/codec/encodable.hpp>

namespace twat::mp::detail {

template <class T>
concept plain_aggregate =
    std::is_aggregate_v<T> && !std::is_const_v<T> && !builtin<T> && kind_of<T> == type_kind::aggregate;

/** Whether an aggregate is nothing but its members, all bytewise: then there is no padding that could leak.

    Bits beside a bit-field belong to nobody either. It is the member that no reference binds to; one to const always does.
*/
template <class T>
constexpr bool is_bytewise_aggregate()
{
    if constexpr (!std::is_trivially_copyable_v<T> || std::is_empty_v<T>) {
        return false;
    } else {
        constexpr bool packed = []<class... Ms>(type_list<Ms...>) {
            return ((bytewise<Ms> && !std::is_const_v<Ms>)&&...) && (std::size_t{} + ... + sizeof(Ms)) == sizeof(T);
        }(member_types<T>());
        if constexpr (packed)
            return !has_bit_field<T>;
        else
            return false;
    }
}

template <plain_aggregate T>
inline constexpr bool bytewise<T> = is_bytewise_aggregate<T>();

template <class T>
void encode_aggregate(encoder& out, const T& value)
{
    if constexpr (bytewise<T>)
        write_raw(out, value);
    else
        visit_members(value, [&](const auto&... members) { (out.write(members), ...); });
}

template <class T>
T decode_aggregate(decoder& in)
{
    if constexpr (bytewise<T>)
        return read_raw<T>(in);
    else
        return [&]<class... Ms>(type_list<Ms...>) {
            static_cast<void>(in);
            // Braces read from left to right, and need no default constructor.
            return T{in.read<std::remove_const_t<Ms>>()...};
        }(member_types<T>());
}

template <class T>
constexpr std::size_t min_size()
{
    constexpr type_kind kind = kind_of<T>;
    if constexpr (kind == type_kind::builtin)
        return builtin_codec<std::remove_const_t<T>>::min_size;
    else if constexpr (kind == type_kind::aggregate)
        return []<class... Ms>(type_list<Ms...>) {
            return (std::size_t{} + ... + min_size<Ms>());
        }(member_types<std::remove_const_t<T>>());
    else
        return 0;
}

/// The codec of a class with `serialize`, once `serialization.hpp` has defined it.
template <class T>
auto archived_codec()
{
    static_assert(
        requires { sizeof(archive_codec<T>); },
        "twat-mp: this class has a serialize function: include <twat/mp/serialization.hpp>, and link "
        "Boost.Serialization");
    return archive_codec<T>();
}

} // namespace twat::mp::detail

#endif
