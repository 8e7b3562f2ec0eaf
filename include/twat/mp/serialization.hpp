// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SERIALIZATION_HPP
#define TWAT_MP_SERIALIZATION_HPP

#include <twat/mp/codec.hpp>
#include <twat/mp/detail/codec/archive_streambuf.hpp>
#include <twat/mp/error.hpp>

#include <boost/archive/archive_exception.hpp>
#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/serialization.hpp>

#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

/** @file
    Sends values of classes that have a `serialize` for Boost.Serialization, a member, private or not, or a free function.

    They go through a `boost::archive::binary_oarchive` into the bytes of the call, and come out of a `binary_iarchive`. A
    program that sends such a value links Boost.Serialization; another that includes this header need not. Making an archive
    takes some 300 ns, so for small values in great number an aggregate or a `codec` is the faster choice.

    A class without default constructor has its `save_construct_data` and `load_construct_data` called, as if it were
    serialized through a pointer. What an archive throws arrives as `error` with `errc::encode_failed` or
    `errc::decode_failed`.
*/

namespace twat::mp::detail {

inline constexpr unsigned archive_flags = boost::archive::no_header | boost::archive::no_codecvt;

template <class T>
struct archive_codec
{
    // As is_default_constructible, but also where only Boost is a friend: then access::construct knows how.
    static constexpr bool made_by_default = std::is_default_constructible_v<T>;

    static void encode(encoder& out, const T& value)
    {
        encoder_streambuf buffer(out);
        try {
            boost::archive::binary_oarchive archive(buffer, archive_flags);
            if constexpr (!made_by_default)
                boost::serialization::save_construct_data_adl(archive, std::addressof(value),
                                                              boost::serialization::version<T>::value);
            archive << value;
        }
        catch (const boost::archive::archive_exception& e) {
            throw error(errc::encode_failed, e.what());
        }
    }

    static T decode(decoder& in)
    {
        decoder_streambuf buffer(in);
        try {
            boost::archive::binary_iarchive archive(buffer, archive_flags);
            if constexpr (made_by_default) {
                T value{};
                archive >> value;
                buffer.finish();
                return value;
            } else {
                alignas(T) std::byte memory[sizeof(T)];
                T* const value = reinterpret_cast<T*>(memory);
                boost::serialization::load_construct_data_adl(archive, value, boost::serialization::version<T>::value);
                const std::unique_ptr<T, destroy> made(value);
                archive >> *value;
                buffer.finish();
                return std::move(*value);
            }
        }
        catch (const boost::archive::archive_exception& e) {
            throw error(errc::decode_failed, e.what());
        }
        catch (const std::length_error& e) {
            // A container of the value was told to be impossibly long.
            throw error(errc::decode_failed, e.what());
        }
    }

private:
    struct destroy
    {
        void operator()(T* value) const { std::destroy_at(value); }
    };
};

} // namespace twat::mp::detail

#endif
