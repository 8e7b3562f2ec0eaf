// SPDX-License-Identifier: BSL-1.0
#include "os/environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace twat::mp::detail {
namespace {

// Independent of the locale.
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals(std::string_view text, std::string_view lower_case) noexcept
{
    return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                      [](char a, char b) { return lower(a) == b; });
}

} // namespace

bool means_yes(std::string_view value) noexcept
{
    constexpr std::string_view no[] = {"", "0", "false", "no", "off"};
    return std::none_of(std::begin(no), std::end(no), [value](std::string_view word) { return equals(value, word); });
}

bool is_enabled(const char* variable) noexcept
{
    const char* const value = std::getenv(variable);
    return value && means_yes(value);
}

} // namespace twat::mp::detail
