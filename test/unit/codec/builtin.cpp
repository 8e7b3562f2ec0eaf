// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/codec.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include "round_trip.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_codec_builtin)

enum class color : unsigned char { red = 1, green = 200 };
enum class yes_no : bool { no, yes };
enum plain_enum { first, second = 1000 };

BOOST_AUTO_TEST_CASE(scalars_survive)
{
    BOOST_TEST(survives(true));
    BOOST_TEST(survives('x'));
    BOOST_TEST(survives(static_cast<signed char>(-3)));
    BOOST_TEST(survives(L'x'));
    BOOST_TEST(survives(u8'x'));
    BOOST_TEST(survives(u'x'));
    BOOST_TEST(survives(U'x'));
    BOOST_TEST(survives(std::byte{7}));
    BOOST_TEST(survives(static_cast<short>(-5)));
    BOOST_TEST(survives(std::numeric_limits<int>::min()));
    BOOST_TEST(survives(std::numeric_limits<std::uint64_t>::max()));
    BOOST_TEST(survives(1.5f));
    BOOST_TEST(survives(-0.1));
    BOOST_TEST(survives(3.25L));
    BOOST_TEST(std::isnan(round_trip(std::numeric_limits<double>::quiet_NaN())));
    BOOST_TEST(survives(color::green));
    BOOST_TEST(survives(yes_no::yes));
    BOOST_TEST(survives(second));
#if defined(__SIZEOF_INT128__)
    __extension__ typedef __int128 wide;
    BOOST_TEST(survives(static_cast<wide>(-1) << 100));
#endif
}

BOOST_AUTO_TEST_CASE(an_integer_takes_its_size_and_no_more)
{
    BOOST_TEST(encoded(std::int64_t{1}).size() == 8u);
    BOOST_TEST(encoded(std::vector<int>(5)).size() == 8u + 20u);
}

BOOST_AUTO_TEST_CASE(padding_of_a_long_double_does_not_leak)
{
    if (std::numeric_limits<long double>::digits != 64)
        return;
    alignas(long double) unsigned char memory[sizeof(long double)];
    std::memset(memory, 0xab, sizeof memory);
    const long double one = 1;
    std::memcpy(memory, &one, 10);
    const auto bytes = encoded(*reinterpret_cast<long double*>(memory));
    for (std::size_t i = 10; i < bytes.size(); ++i)
        BOOST_TEST(std::to_integer<int>(bytes[i]) == 0);
}

BOOST_AUTO_TEST_CASE(strings_survive)
{
    BOOST_TEST(survives(std::string()));
    BOOST_TEST(survives(std::string("a\0b", 3)));
    BOOST_TEST(survives(std::wstring(L"wide")));
    BOOST_TEST(survives(std::u8string(u8"eight")));
    BOOST_TEST(survives(std::u16string(u"sixteen")));
    BOOST_TEST(survives(std::u32string(U"thirty-two")));
    BOOST_TEST(survives(std::filesystem::path("/some/where")));
}

BOOST_AUTO_TEST_SUITE_END()
