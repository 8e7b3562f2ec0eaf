// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/philox.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <random>
#include <set>

using namespace twat::mp;

static_assert(std::uniform_random_bit_generator<philox4x32>);

BOOST_AUTO_TEST_SUITE(test_philox)

// From the known-answer tests of Random123, the authors' own implementation.
BOOST_AUTO_TEST_CASE(it_is_the_published_function)
{
    using words = philox4x32::words;
    constexpr std::uint32_t ones = 0xffff'ffffu;
    static_assert(philox4x32::encipher({0, 0, 0, 0}, {0, 0}) ==
                  words{0x6627'e8d5u, 0xe169'c58du, 0xbc57'ac4cu, 0x9b00'dbd8u});
    static_assert(philox4x32::encipher({ones, ones, ones, ones}, {ones, ones}) ==
                  words{0x408f'276du, 0x41c8'3b0eu, 0xa20b'c7c6u, 0x6d54'51fdu});
    static_assert(
        philox4x32::encipher({0x243f'6a88u, 0x85a3'08d3u, 0x1319'8a2eu, 0x0370'7344u}, {0xa409'3822u, 0x299f'31d0u}) ==
        words{0xd16c'fe09u, 0x94fd'ccebu, 0x5001'e420u, 0x2412'6ea1u});
    philox4x32 random;
    BOOST_TEST(random() == 0x6627'e8d5u);
    BOOST_TEST(random() == 0xe169'c58du);
}

// The C++26 engine of the same name gives this for the default seed, 20111115, and so does this one: its counter runs in the same words.
BOOST_AUTO_TEST_CASE(it_agrees_with_the_standard_engine)
{
    philox4x32 random(20111115);
    random.discard(9999);
    BOOST_TEST(random() == 1955073260u);
}

BOOST_AUTO_TEST_CASE(seeds_and_indexes_have_numbers_of_their_own)
{
    std::set<std::uint32_t> seen;
    for (std::uint64_t seed : {0ull, 1ull, 1ull << 32})
        for (std::uint64_t index : {0ull, 1ull, 1ull << 32})
            seen.insert(philox4x32(seed, index)());
    BOOST_TEST(seen.size() == 9u);
    BOOST_TEST((philox4x32(7, 8) == philox4x32(7, 8)));
    BOOST_TEST((philox4x32(7, 8) != philox4x32(8, 7)));
}

BOOST_AUTO_TEST_CASE(discard_goes_over_numbers)
{
    for (const std::uint64_t begin : {0u, 1u, 3u, 4u, 5u})
        for (const std::uint64_t count : {0u, 1u, 2u, 3u, 4u, 5u, 8u, 1001u}) {
            philox4x32 one(42, 3), other(42, 3);
            for (std::uint64_t i = 0; i != begin; ++i)
                BOOST_TEST_REQUIRE(one() == other());
            one.discard(count);
            for (std::uint64_t i = 0; i != count; ++i)
                other();
            BOOST_TEST((one == other));
            BOOST_TEST(one() == other());
        }
}

BOOST_AUTO_TEST_SUITE_END()
