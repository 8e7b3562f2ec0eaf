// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/codec.hpp>

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "round_trip.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_codec_aggregates)

struct empty
{
    bool operator==(const empty&) const = default;
};

struct point
{
    double x, y;
    bool operator==(const point&) const = default;
};

struct job
{
    int id = 1;
    std::string name = "job";
    std::vector<point> path{};
    std::optional<point> goal{};
    empty nothing{};
    std::map<std::string, std::array<int, 2>> table{};
    bool operator==(const job&) const = default;
};

struct tree
{
    int value;
    std::vector<tree> kids;
    bool operator==(const tree&) const = default;
};

struct document
{
    std::variant<double, std::string, std::vector<document>, std::map<std::string, document>> value;
    bool operator==(const document&) const = default;
};

struct chain
{
    int value;
    std::unique_ptr<chain> next;
};

struct a_of_b;
struct b_of_a
{
    std::vector<a_of_b> as;
};
struct a_of_b
{
    int value;
    b_of_a b;
};

struct constant
{
    const int id;
    const std::string name;
    bool operator==(const constant&) const = default;
};

struct flags
{
    unsigned a : 3;
    int b : 5;
    bool c : 1;
    int d;
    bool operator==(const flags&) const = default;
};

struct padded
{
    char c;
    long l;
};

struct half_used
{
    int a : 8;
    int b;
};

struct true_or_false
{
    bool flag;
    char letter;
    bool operator==(const true_or_false&) const = default;
};

struct with_member_functions
{
    int a;
    int twice() const { return 2 * a; }
    static constexpr int other = 3;
    bool operator==(const with_member_functions&) const = default;
};

#define TEN(m) int m##0, m##1, m##2, m##3, m##4, m##5, m##6, m##7, m##8, m##9;
struct hundred
{
    TEN(a)
    TEN(b) TEN(c) TEN(d) TEN(e) TEN(f) TEN(g) TEN(h) TEN(i) TEN(j) bool operator==(const hundred&) const = default;
};
#undef TEN

BOOST_AUTO_TEST_CASE(members_survive)
{
    BOOST_TEST((survives(empty{})));
    BOOST_TEST((survives(point{1.5, -2})));
    BOOST_TEST((survives(job{7, "seven", {{1, 2}, {3, 4}}, point{5, 6}, {}, {{"x", {1, 2}}}})));
    BOOST_TEST((survives(constant{3, "three"})));
    BOOST_TEST((survives(std::vector<constant>{{3, "three"}, {4, "four"}})));
    BOOST_TEST((survives(with_member_functions{4})));
    BOOST_TEST((survives(true_or_false{true, 'x'})));
    hundred many{};
    many.a0 = 1;
    many.j9 = 2;
    BOOST_TEST((survives(many)));
}

BOOST_AUTO_TEST_CASE(bit_fields_survive)
{
    BOOST_TEST((survives(flags{5, -3, true, 77})));
    BOOST_TEST((survives(std::vector<flags>{{5, -3, true, 77}, {1, 2, false, 3}})));
}

BOOST_AUTO_TEST_CASE(recursive_types_survive)
{
    static_assert(encodable<tree> && encodable<document> && encodable<chain> && encodable<a_of_b>);
    BOOST_TEST((survives(tree{1, {{2, {}}, {3, {{4, {}}}}}})));
    document d;
    d.value = std::map<std::string, document>{{"a", {1.5}}, {"b", {std::vector<document>{{"x"}, {2.0}}}}};
    BOOST_TEST((survives(d)));
    chain c{1, std::make_unique<chain>(chain{2, nullptr})};
    const chain back = round_trip(c);
    BOOST_TEST_REQUIRE((back.next != nullptr));
    BOOST_TEST(back.next->value == 2);
    BOOST_TEST((back.next->next == nullptr));
    a_of_b a{1, {}};
    a.b.as.push_back({2, {}});
    BOOST_TEST(round_trip(a).b.as.at(0).value == 2);
}

// Otherwise what lay on the stack or the heap before would travel to other processes.
BOOST_AUTO_TEST_CASE(padding_is_not_copied)
{
    static_assert(!detail::bytewise<padded>);
    static_assert(!detail::bytewise<half_used>);
    BOOST_TEST(encoded(padded{'x', 1}).size() == 1u + sizeof(long));
    BOOST_TEST(encoded(half_used{1, 2}).size() == 2 * sizeof(int));
}

BOOST_AUTO_TEST_CASE(only_what_has_no_padding_and_no_forbidden_value_is_copied_as_bytes)
{
    static_assert(detail::bytewise<std::pair<int, int>> == false);
    static_assert(!detail::bytewise<true_or_false>);
    static_assert(!detail::bytewise<tree>);
    static_assert(!detail::bytewise<empty>);
#if !defined(__clang__) || __clang_major__ >= 16
    static_assert(detail::bytewise<point>);
    static_assert(detail::bytewise<std::array<point, 3>>);
#endif
    BOOST_TEST(encoded(std::vector<point>(3)).size() == 8u + 3 * sizeof(point));
}

BOOST_AUTO_TEST_CASE(depth_is_bounded_on_both_sides)
{
    const auto nested = [](std::size_t levels) {
        tree root{0, {}};
        for (std::size_t i = 1; i < levels; ++i) {
            tree outer{0, {}};
            outer.kids.push_back(std::move(root));
            root = std::move(outer);
        }
        return root;
    };
    BOOST_TEST((survives(nested(detail::max_nesting))));
    BOOST_CHECK_EXCEPTION(encoded(nested(detail::max_nesting + 1)), error,
                          [](const error& e) { return e.code() == errc::encode_failed; });
    encoder out;
    for (std::size_t i = 0; i != 100'000; ++i) {
        out.write(0);
        out.write(std::size_t{1});
    }
    decoder in(out.bytes());
    BOOST_CHECK_EXCEPTION(in.read<tree>(), error, [](const error& e) { return e.code() == errc::decode_failed; });
}

BOOST_AUTO_TEST_SUITE_END()
