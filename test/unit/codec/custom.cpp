// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/codec.hpp>

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "round_trip.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

namespace {

class celsius
{
public:
    explicit celsius(double degrees) : degrees_(degrees) {}
    double degrees() const { return degrees_; }
    bool operator==(const celsius&) const = default;

private:
    double degrees_;
};

// An aggregate that would be taken apart without its codec.
struct masked
{
    int value;
    bool operator==(const masked&) const = default;
};

enum class level { low, high };

// Writes nothing at all.
struct nothing
{
    nothing() {}
    bool operator==(const nothing&) const { return true; }
};

struct broken
{
    int value;
};

template <class T>
class box
{
public:
    explicit box(T value) : value_(std::move(value)) {}
    const T& value() const { return value_; }
    bool operator==(const box&) const = default;

private:
    T value_;
};

} // namespace

template <>
struct twat::mp::codec<celsius>
{
    static void encode(encoder& out, const celsius& value) { out.write(value.degrees()); }
    static celsius decode(decoder& in)
    {
        const auto degrees = in.read<double>();
        if (degrees < -273.15)
            throw error(errc::decode_failed, "colder than possible");
        return celsius(degrees);
    }
};

template <>
struct twat::mp::codec<masked>
{
    static void encode(encoder& out, const masked& value) { out.write(static_cast<short>(~value.value)); }
    static masked decode(decoder& in) { return {~in.read<short>()}; }
};

template <>
struct twat::mp::codec<level>
{
    static void encode(encoder& out, level value) { out.write(value == level::high); }
    static level decode(decoder& in) { return in.read<bool>() ? level::high : level::low; }
};

template <>
struct twat::mp::codec<nothing>
{
    static void encode(encoder&, const nothing&) {}
    static nothing decode(decoder&) { return {}; }
};

template <>
struct twat::mp::codec<broken>
{
    static void encode(encoder&, const broken&) {}
};

template <class T>
struct twat::mp::codec<box<T>>
{
    static void encode(encoder& out, const box<T>& value) { out.write(value.value()); }
    static box<T> decode(decoder& in) { return box<T>(in.read<T>()); }
};

BOOST_AUTO_TEST_SUITE(test_codec_custom)

BOOST_AUTO_TEST_CASE(a_codec_of_ones_own_is_used_everywhere)
{
    static_assert(encodable<celsius> && encodable<std::vector<celsius>>);
    BOOST_TEST((survives(celsius(20))));
    BOOST_TEST((survives(std::vector<celsius>{celsius(20), celsius(-1)})));
    BOOST_TEST((survives(box<std::string>("x"))));
}

BOOST_AUTO_TEST_CASE(it_comes_before_what_the_library_would_do)
{
    BOOST_TEST(encoded(masked{5}).size() == sizeof(short));
    BOOST_TEST(encoded(level::high).size() == 1u);
    BOOST_TEST((survives(std::vector<masked>{{1}, {2}})));
    BOOST_TEST((survives(std::vector<level>{level::low, level::high})));
    BOOST_TEST((survives(std::array<level, 3>{level::low, level::high, level::low})));
    struct holds_them
    {
        masked m;
        level l;
        bool operator==(const holds_them&) const = default;
    };
    BOOST_TEST((encoded(holds_them{{1}, level::high}).size() == sizeof(short) + 1));
    BOOST_TEST((survives(holds_them{{1}, level::high})));
}

BOOST_AUTO_TEST_CASE(values_that_take_no_bytes_survive) { BOOST_TEST((survives(std::vector<nothing>(3)))); }

BOOST_AUTO_TEST_CASE(its_own_refusal_passes)
{
    const auto bytes = encoded(-300.0);
    BOOST_CHECK_THROW(decoded<celsius>(bytes), error);
}

BOOST_AUTO_TEST_CASE(half_a_codec_is_none) { static_assert(!encodable<broken>); }

BOOST_AUTO_TEST_SUITE_END()
