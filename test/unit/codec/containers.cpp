// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/codec.hpp>

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "round_trip.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

class ticket
{
public:
    explicit ticket(int number) : number_(number) {}
    int number() const { return number_; }
    bool operator==(const ticket&) const = default;

private:
    int number_;
};

struct no_default
{
    ticket value;
    bool operator==(const no_default&) const = default;
};

struct fails_to_move
{
    fails_to_move() = default;
    fails_to_move(fails_to_move&&) { throw 1; }
};

} // namespace

template <>
struct twat::mp::codec<ticket>
{
    static void encode(encoder& out, const ticket& value) { out.write(value.number()); }
    static ticket decode(decoder& in) { return ticket(in.read<int>()); }
};

template <>
struct twat::mp::codec<fails_to_move>
{
    static void encode(encoder&, const fails_to_move&) {}
    static fails_to_move decode(decoder&) { return {}; }
};

BOOST_AUTO_TEST_SUITE(test_codec_containers)

using strings = std::vector<std::string>;

BOOST_AUTO_TEST_CASE(sequences_survive)
{
    BOOST_TEST(survives(std::vector<int>()));
    BOOST_TEST(survives(std::vector<double>{1, 2.5, -3}));
    BOOST_TEST(survives(strings{"one", "", "three"}));
    BOOST_TEST(survives(std::vector<strings>{{"a"}, {}, {"b", "c"}}));
    BOOST_TEST(survives(std::deque<int>{1, 2, 3}));
    BOOST_TEST(survives(std::list<std::string>{"a", "b"}));
    BOOST_TEST(survives(std::forward_list<int>{3, 1, 2}));
    BOOST_TEST(survives(std::array<int, 3>{1, 2, 3}));
    BOOST_TEST(survives(std::array<std::string, 2>{"a", "b"}));
    BOOST_TEST(survives(std::array<std::string, 0>{}));
    BOOST_TEST(survives(std::array<bool, 40>{true, false, true}));
}

BOOST_AUTO_TEST_CASE(vectors_of_bool_survive_at_every_length)
{
    for (std::size_t size = 0; size != 20; ++size) {
        std::vector<bool> bits(size);
        for (std::size_t i = 0; i != size; ++i)
            bits[i] = i % 3 == 0;
        BOOST_TEST(survives(bits));
    }
}

// Elements that lie one byte off their alignment are read all the same.
BOOST_AUTO_TEST_CASE(unaligned_elements_survive)
{
    using value = std::tuple<char, std::vector<double>, std::u32string>;
    BOOST_TEST(survives(value{'x', {1, 2, 3}, U"abc"}));
    using aligned = std::tuple<std::vector<double>, char>;
    BOOST_TEST(survives(aligned{{1, 2, 3}, 'x'}));
}

BOOST_AUTO_TEST_CASE(elements_without_bytes_survive)
{
    BOOST_TEST(round_trip(std::vector<std::monostate>(5)).size() == 5u);
    BOOST_TEST(round_trip(std::list<std::tuple<>>(3)).size() == 3u);
    BOOST_TEST((survives(std::map<int, std::monostate>{{1, {}}, {2, {}}})));
}

struct descending
{
    bool operator()(int a, int b) const { return a > b; }
};

struct by_remainder
{
    int modulus = 10;
    bool operator()(int a, int b) const { return a % modulus < b % modulus; }
};

struct poor_hash
{
    std::size_t operator()(const std::string& s) const { return s.size(); }
};

BOOST_AUTO_TEST_CASE(sets_and_maps_survive)
{
    BOOST_TEST(survives(std::set<int>{3, 1, 2}));
    BOOST_TEST(survives(std::multiset<int>{3, 1, 3}));
    BOOST_TEST((survives(std::map<std::string, int>{{"a", 1}, {"b", 2}})));
    BOOST_TEST((survives(std::multimap<int, std::string>{{1, "a"}, {1, "b"}})));
    BOOST_TEST((survives(std::unordered_set<std::string>{"a", "b"})));
    BOOST_TEST((survives(std::unordered_multiset<int>{1, 1, 2})));
    BOOST_TEST((survives(std::unordered_map<int, strings>{{1, {"a"}}, {2, {}}})));
    BOOST_TEST((survives(std::unordered_multimap<int, int>{{1, 2}, {1, 3}})));
    BOOST_TEST((survives(std::unordered_set<std::string, poor_hash>{"a", "b", "cc"})));
}

BOOST_AUTO_TEST_CASE(order_survives) { BOOST_TEST(*round_trip(std::set<int, descending>{1, 2, 3}).begin() == 3); }

// A comparator with state belongs to the value.
BOOST_AUTO_TEST_CASE(state_of_a_comparator_survives)
{
    std::set<int, by_remainder> mod7(by_remainder{7});
    mod7.insert({8, 2, 9});
    const auto back = round_trip(mod7);
    BOOST_TEST(back.key_comp().modulus == 7);
    BOOST_TEST(back.size() == 2u);
    static_assert(!encodable<std::set<int, bool (*)(int, int)>>);
}

BOOST_AUTO_TEST_CASE(adaptors_survive)
{
    std::stack<int> stack;
    stack.push(1);
    stack.push(2);
    BOOST_TEST(survives(stack));
    std::queue<std::string> queue;
    queue.push("a");
    BOOST_TEST(survives(queue));
    std::priority_queue<int> heap;
    for (int i : {3, 9, 1})
        heap.push(i);
    auto back = round_trip(heap);
    BOOST_TEST(back.size() == 3u);
    BOOST_TEST(back.top() == 9);
}

BOOST_AUTO_TEST_CASE(products_and_sums_survive)
{
    BOOST_TEST((survives(std::pair<int, std::string>{1, "a"})));
    BOOST_TEST((survives(std::tuple<>())));
    BOOST_TEST((survives(std::tuple<int, std::string, strings>{1, "a", {"b"}})));
    BOOST_TEST((survives(std::tuple<std::tuple<int>>{std::tuple<int>{4}})));
    BOOST_TEST(survives(std::optional<int>()));
    BOOST_TEST(survives(std::optional<std::string>("x")));
    BOOST_TEST((survives(std::optional<std::optional<int>>(std::optional<int>()))));
    BOOST_TEST(survives(std::monostate()));
    using either = std::variant<std::monostate, int, std::string, int>;
    BOOST_TEST(survives(either()));
    BOOST_TEST(survives(either("x")));
    BOOST_TEST(round_trip(either(std::in_place_index<3>, 7)).index() == 3u);
}

BOOST_AUTO_TEST_CASE(nothing_needs_a_default_constructor)
{
    static_assert(!std::is_default_constructible_v<no_default>);
    const std::vector<no_default> many{{ticket(1)}, {ticket(2)}};
    BOOST_TEST(survives(many));
    BOOST_TEST((survives(std::variant<no_default, int>{no_default{ticket(3)}})));
    BOOST_TEST((survives(std::tuple<no_default, std::string>{no_default{ticket(3)}, "x"})));
    BOOST_TEST((survives(std::pair<no_default, no_default>{no_default{ticket(3)}, no_default{ticket(4)}})));
    BOOST_TEST((survives(std::map<int, no_default>{{1, no_default{ticket(2)}}})));
    BOOST_TEST((survives(std::optional<no_default>{no_default{ticket(3)}})));
    BOOST_TEST((survives(std::array<no_default, 2>{no_default{ticket(3)}, no_default{ticket(4)}})));
}

BOOST_AUTO_TEST_CASE(a_valueless_variant_is_refused)
{
    std::variant<std::string, fails_to_move> value("x");
    BOOST_CHECK_THROW(value.emplace<1>(fails_to_move()), int);
    BOOST_REQUIRE(value.valueless_by_exception());
    BOOST_CHECK_EXCEPTION(encoded(value), error, [](const error& e) { return e.code() == errc::encode_failed; });
}

BOOST_AUTO_TEST_CASE(move_only_values_survive)
{
    using pointer = std::unique_ptr<std::string>;
    BOOST_TEST((round_trip(pointer()) == nullptr));
    BOOST_TEST(*round_trip(std::make_unique<std::string>("x")) == "x");
    std::vector<pointer> many;
    many.push_back(std::make_unique<std::string>("a"));
    many.push_back(nullptr);
    const auto back = round_trip(many);
    BOOST_TEST_REQUIRE(back.size() == 2u);
    BOOST_TEST(*back[0] == "a");
    BOOST_TEST((back[1] == nullptr));
    std::map<int, pointer> map;
    map.emplace(1, std::make_unique<std::string>("m"));
    BOOST_TEST(*round_trip(map).at(1) == "m");
    const std::tuple<int, pointer> tuple(1, std::make_unique<std::string>("t"));
    BOOST_TEST(*std::get<1>(round_trip(tuple)) == "t");
    const std::variant<int, pointer> variant(std::make_unique<std::string>("v"));
    BOOST_TEST(*std::get<1>(round_trip(variant)) == "v");
}

BOOST_AUTO_TEST_CASE(times_and_dates_survive)
{
    BOOST_TEST((survives(5s)));
    BOOST_TEST((survives(std::chrono::duration<double, std::milli>(1.5))));
    BOOST_TEST((survives(std::chrono::system_clock::now())));
    BOOST_TEST((survives(std::chrono::steady_clock::now())));
    BOOST_TEST((survives(std::chrono::year(2024) / 2 / 29)));
    BOOST_TEST((survives(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29))));
    BOOST_TEST((survives(std::chrono::Sunday)));
}

BOOST_AUTO_TEST_CASE(numbers_of_other_kinds_survive)
{
    BOOST_TEST((survives(std::complex<double>(1, -2))));
    BOOST_TEST((survives(std::vector<std::complex<float>>{{1, 2}, {3, 4}})));
    BOOST_TEST(survives(std::bitset<0>()));
    BOOST_TEST(survives(std::bitset<70>(0x1234567)));
}

BOOST_AUTO_TEST_SUITE_END()
