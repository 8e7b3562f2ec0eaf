// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CODEC_HPP
#define TWAT_MP_CODEC_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/decoder.hpp>
#include <twat/mp/encoder.hpp>

#include <twat/mp/detail/codec/codec_aggregates.hpp>
#include <twat/mp/detail/codec/codec_associative.hpp>
#include <twat/mp/detail/codec/codec_misc.hpp>
#include <twat/mp/detail/codec/codec_products.hpp>
#include <twat/mp/detail/codec/codec_scalars.hpp>
#include <twat/mp/detail/codec/codec_sequences.hpp>
#include <twat/mp/detail/codec/codec_sums.hpp>
#include <twat/mp/detail/codec/encodable.hpp>
#include <twat/mp/detail/codec/sent_type.hpp>

namespace twat::mp {

/** How values of a type become bytes and values again. Specialise it for a type of your own: `encode` writes any
    encodable values, `decode` reads the same types in the same order:

    @code
    template <>
    struct twat::mp::codec<colour>
    {
        static void encode(mp::encoder& out, const colour& value) { out.write(value.rgb()); }
        static colour decode(mp::decoder& in) { return colour(in.read<std::uint32_t>()); }
    };
    @endcode

    Not needed for arithmetic types, enums, strings, standard containers, `optional`, `variant`, `pair`, `tuple`,
    `array`, `unique_ptr`, `chrono`, `filesystem::path`, error codes, plain aggregates of such types, and classes with a
    Boost.Serialization `serialize`. A specialisation is used wherever a `T` is sent, also inside other types. It must
    be seen before the first use of `T` with the library. `decode` throws `error` with `errc::decode_failed` on bad bytes.
    Results of 64 KiB and more of an asynchronous pool are decoded on a thread of the library.
*/
template <class T>
struct codec;

/** Whether values of type `T` can be sent to another process.

    References, raw pointers, views, and types that hold them cannot. For the reason, look at the message of a call that
    is refused.
*/
template <class T>
concept encodable = detail::is_encodable<std::remove_const_t<T>>();

template <class T>
void encoder::write(const T& value)
{
    constexpr auto kind = detail::kind_of<T>;
    detail::check_encodable<T>();
    if constexpr (!detail::is_encodable<T>()) {
        // Refused above, once and readably.
    } else if constexpr (kind == detail::type_kind::builtin) {
        detail::builtin_codec<T>::encode(*this, value);
    } else {
        const detail::nesting<encoder> level(*this);
        if constexpr (kind == detail::type_kind::custom)
            codec<T>::encode(*this, value);
        else if constexpr (kind == detail::type_kind::aggregate)
            detail::encode_aggregate(*this, value);
        else
            detail::archived_codec<T>().encode(*this, value);
    }
}

template <class T>
T decoder::read()
{
    using value_type = std::remove_const_t<T>;
    constexpr auto kind = detail::kind_of<value_type>;
    detail::check_encodable<value_type>();
    if constexpr (!detail::is_encodable<value_type>()) {
        detail::throw_bad_bytes("");
    } else if constexpr (kind == detail::type_kind::builtin) {
        return detail::builtin_codec<value_type>::decode(*this);
    } else {
        const detail::nesting<decoder> level(*this);
        if constexpr (kind == detail::type_kind::custom)
            return codec<value_type>::decode(*this);
        else if constexpr (kind == detail::type_kind::aggregate)
            return detail::decode_aggregate<value_type>(*this);
        else
            return detail::archived_codec<value_type>().decode(*this);
    }
}

} // namespace twat::mp

#endif
