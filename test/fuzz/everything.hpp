// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FUZZ_EVERYTHING_HPP
#define TWAT_MP_TEST_FUZZ_EVERYTHING_HPP

#include <twat/mp/codec.hpp>

#include <array>
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
#include <set>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace twat::mp::fuzz {

enum class color { red, green };

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

/// One of everything that has a codec of the library's own, by the first byte of the input.
using everything = std::variant<
    int, std::string, std::vector<bool>, std::vector<double>, std::vector<std::string>, std::vector<std::monostate>,
    std::vector<std::optional<leaf>>, std::deque<short>, std::list<std::u16string>, std::forward_list<char>,
    std::set<std::string>, std::multimap<int, std::optional<int>>, std::unordered_map<std::string, std::vector<leaf>>,
    std::priority_queue<int>, std::variant<int, std::string, leaf>, std::tuple<char, long, std::array<std::string, 2>>,
    std::chrono::nanoseconds, std::chrono::year_month_day, std::filesystem::path, std::error_code, std::complex<float>,
    std::bitset<13>, tree, color, std::pair<bool, std::wstring>, std::array<std::vector<char>, 3>,
    std::vector<std::vector<std::vector<int>>>>;

} // namespace twat::mp::fuzz

#endif
