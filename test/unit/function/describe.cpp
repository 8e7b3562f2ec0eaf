// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/detail/function/describe.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace twat::mp::detail;

namespace {

enum class colour : unsigned char { red = 3 };
struct point
{
    int x, y;
};
std::ostream& operator<<(std::ostream& out, const point& p) { return out << '(' << p.x << ' ' << p.y << ')'; }
struct unprintable
{};
std::ostream& operator<<(std::ostream&, const unprintable&) { throw std::runtime_error("no"); }

} // namespace

BOOST_AUTO_TEST_SUITE(test_describe)

BOOST_AUTO_TEST_CASE(what_can_be_shown_is_shown)
{
    BOOST_TEST(describe_arguments(7) == "7");
    BOOST_TEST(describe_arguments(-7, 8u) == "-7, 8");
    BOOST_TEST(describe_arguments(true, 'c', std::int8_t(-1), std::uint8_t(200)) == "true, c, -1, 200");
    BOOST_TEST(describe_arguments(0.1, 0.1f, 1e300) == "0.1, 0.1, 1e+300");
    BOOST_TEST(describe_arguments(colour::red) == "3");
    BOOST_TEST(describe_arguments(std::string("text"), std::filesystem::path("/a/b")) == "text, /a/b");
    BOOST_TEST(describe_arguments(point{1, 2}) == "(1 2)");
    BOOST_TEST(describe_arguments(std::string()) == "");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_shown_is_left_out)
{
    BOOST_TEST(describe_arguments() == "");
    BOOST_TEST(describe_arguments(std::vector<int>{1}) == "");
    BOOST_TEST(describe_arguments(std::vector<int>{1}, 2) == "?, 2");
    BOOST_TEST(describe_arguments(std::make_unique<int>(1)) == "");
    BOOST_TEST(describe_arguments(unprintable()) == "");
}

BOOST_AUTO_TEST_CASE(long_text_is_cut_between_characters)
{
    const auto text = describe_arguments(std::string(1'000'000, 'x'), std::string(1'000'000, 'y'), 5);
    BOOST_TEST(text == std::string(200, 'x') + "...");
    BOOST_TEST(describe_arguments(std::string(199, 'x') + "\u00e4\u00e4") == std::string(199, 'x') + "...");
    std::string many;
    for (int i = 0; i < 3; ++i)
        many += describe_arguments(std::string(90, 'a'), std::string(90, 'b'), std::string(90, 'c'));
    BOOST_TEST(many.size() < 3 * 210u);
}

BOOST_AUTO_TEST_SUITE_END()
