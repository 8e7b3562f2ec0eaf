// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/codec.hpp>

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "round_trip.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

// Whatever the bytes are, reading them gives a value or throws decode_failed. Run it under the sanitizers.

BOOST_AUTO_TEST_SUITE(test_codec_hostile)

struct leaf
{
    int a;
    bool b;
    std::string c;
};

struct tree
{
    leaf value;
    std::vector<tree> kids;
    std::unique_ptr<tree> twin;
};

struct everything
{
    std::vector<bool> bits;
    std::vector<double> doubles;
    std::vector<std::string> strings;
    std::vector<std::monostate> empties;
    std::deque<short> deque;
    std::list<std::u16string> list;
    std::forward_list<char> forward_list;
    std::set<std::string> set;
    std::multimap<int, std::optional<int>> multimap;
    std::unordered_map<std::string, std::vector<leaf>> unordered_map;
    std::priority_queue<int> queue;
    std::variant<int, std::string, leaf> variant;
    std::tuple<char, long, std::array<std::string, 2>> tuple;
    std::chrono::nanoseconds duration;
    std::chrono::year_month_day date;
    std::filesystem::path path;
    std::error_code code;
    std::complex<float> complex;
    std::bitset<13> bitset;
    tree recursive;
};

class other_category final : public std::error_category
{
public:
    const char* name() const noexcept override { return "hostile"; }
    std::string message(int) const override { return "some message"; }
};

everything make_everything()
{
    static const other_category category;
    everything e{};
    e.bits = {true, false, true};
    e.doubles = {1, 2, 3};
    e.strings = {"one", "two"};
    e.empties.resize(4);
    e.deque = {1, 2};
    e.list = {u"a", u"bc"};
    e.forward_list = {'a', 'b'};
    e.set = {"x", "y"};
    e.multimap = {{1, 2}, {1, std::nullopt}};
    e.unordered_map = {{"k", {{1, true, "v"}}}};
    e.queue.push(3);
    e.variant = leaf{1, false, "variant"};
    e.tuple = {'x', 2, {"a", "b"}};
    e.path = "/a/b";
    e.code = {7, category};
    e.recursive = {{1, true, "r"}, {}, nullptr};
    e.recursive.kids.push_back({{2, false, "kid"}, {}, nullptr});
    e.recursive.twin = std::make_unique<tree>(tree{{3, true, "twin"}, {}, nullptr});
    return e;
}

/// Whether the bytes were refused.
template <class T>
bool refuses(std::span<const std::byte> bytes)
{
    const std::vector<std::byte> copy(bytes.begin(), bytes.end());
    decoder in{std::span<const std::byte>(copy)};
    try {
        static_cast<void>(in.read<T>());
        return false;
    }
    catch (const error& e) {
        BOOST_TEST_REQUIRE((e.code() == errc::decode_failed));
        return true;
    }
}

BOOST_AUTO_TEST_CASE(every_prefix_is_refused)
{
    const auto bytes = encoded(make_everything());
    BOOST_TEST(!refuses<everything>(bytes));
    for (std::size_t size = 0; size != bytes.size(); ++size)
        BOOST_TEST(refuses<everything>(std::span(bytes).first(size)));
}

BOOST_AUTO_TEST_CASE(flipped_bits_do_no_harm)
{
    const auto original = encoded(make_everything());
    for (std::size_t at = 0; at != original.size(); ++at) {
        for (unsigned bit = 0; bit != 8; ++bit) {
            auto bytes = original;
            bytes[at] ^= static_cast<std::byte>(1u << bit);
            refuses<everything>(bytes);
        }
    }
}

BOOST_AUTO_TEST_CASE(changed_bytes_do_no_harm)
{
    const auto original = encoded(make_everything());
    std::mt19937 random(20240229);
    for (int round = 0; round != 3000; ++round) {
        auto bytes = original;
        for (int change = 0; change != 4; ++change)
            bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 4 == 0 ? 0xff : random());
        refuses<everything>(bytes);
    }
}

BOOST_AUTO_TEST_CASE(noise_does_no_harm)
{
    std::mt19937 random(1);
    for (int round = 0; round != 2000; ++round) {
        std::vector<std::byte> bytes(random() % 300);
        for (auto& byte : bytes)
            byte = static_cast<std::byte>(random() % 3 == 0 ? random() : random() % 3);
        refuses<everything>(bytes);
        refuses<tree>(bytes);
        refuses<std::vector<std::vector<std::vector<std::string>>>>(bytes);
    }
}

template <class T>
void huge_length_is_refused(std::uint64_t length)
{
    encoder out;
    out.write(length);
    out.write(std::uint64_t{0});
    BOOST_TEST(refuses<T>(out.bytes()));
}

BOOST_AUTO_TEST_CASE(lengths_are_checked_before_anything_is_allocated)
{
    for (const std::uint64_t length : {std::uint64_t{9}, std::uint64_t{1} << 32, std::uint64_t{1} << 61,
                                       std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        huge_length_is_refused<std::string>(length);
        huge_length_is_refused<std::u32string>(length);
        huge_length_is_refused<std::vector<char>>(length);
        huge_length_is_refused<std::vector<double>>(length);
        huge_length_is_refused<std::vector<std::string>>(length);
        huge_length_is_refused<std::vector<std::monostate>>(length);
        huge_length_is_refused<std::list<std::tuple<>>>(length);
        huge_length_is_refused<std::map<int, int>>(length);
        if (length > 64)
            huge_length_is_refused<std::vector<bool>>(length);
    }
}

BOOST_AUTO_TEST_CASE(a_small_message_reserves_little)
{
    // One byte each, but 64 KiB in memory.
    using large = std::optional<std::array<char, 65536>>;
    encoder out;
    out.write(std::uint64_t{100'000});
    std::memset(out.extend(100'000), 2, 100'000); // 2 is no flag, so nothing is decoded
    BOOST_TEST(refuses<std::vector<large>>(out.bytes()));
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_refused)
{
    const std::vector<std::byte> two{std::byte{2}, std::byte{0}, std::byte{0}};
    BOOST_TEST(refuses<bool>(two));
    BOOST_TEST(refuses<std::optional<char>>(two));
    BOOST_TEST(refuses<std::unique_ptr<char>>(two));
    BOOST_TEST((refuses<std::variant<char, bool>>(two)));
    BOOST_TEST(refuses<std::error_code>(std::vector<std::byte>(20, std::byte{0x80})));
}

BOOST_AUTO_TEST_SUITE_END()
