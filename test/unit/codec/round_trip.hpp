// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_UNIT_CODEC_ROUND_TRIP_HPP
#define TWAT_MP_TEST_UNIT_CODEC_ROUND_TRIP_HPP

#include <twat/mp/codec.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace twat::mp::test {

template <class T>
std::vector<std::byte> encoded(const T& value)
{
    encoder out;
    out.write(value);
    return {out.bytes().begin(), out.bytes().end()};
}

/// Decodes from a block of exactly that size, so that the address sanitizer sees every byte read behind it.
template <class T>
T decoded(std::span<const std::byte> bytes)
{
    const std::unique_ptr<std::byte[]> copy(new std::byte[bytes.size()]);
    if (!bytes.empty())
        std::memcpy(copy.get(), bytes.data(), bytes.size());
    decoder in(std::span<const std::byte>(copy.get(), bytes.size()));
    T value = in.read<T>();
    BOOST_TEST(in.remaining() == 0u);
    return value;
}

template <class T>
T round_trip(const T& value)
{
    return decoded<T>(encoded(value));
}

/// Equality without printing.
template <class T>
bool survives(const T& value)
{
    return round_trip(value) == value;
}

} // namespace twat::mp::test

#endif
