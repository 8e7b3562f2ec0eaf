// SPDX-License-Identifier: BSL-1.0
#include "monitor/request_target.hpp"

#include <algorithm>
#include <charconv>

namespace twat::mp::detail {
namespace {

std::string decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned char c = 0;
        if (text[i] == '%' && text.size() - i > 2 &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, c, 16).ptr == text.data() + i + 3) {
            out += static_cast<char>(c);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

} // namespace

request_target::request_target(std::string_view text) noexcept
    : path(text.substr(0, text.find('?'))), query(text.substr(std::min(text.size(), path.size() + 1)))
{}

std::string request_target::value(std::string_view name) const
{
    for (std::string_view rest = query; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        if (one.substr(0, one.find('=')) == name && one.size() > name.size())
            return decoded(one.substr(name.size() + 1));
    }
    return {};
}

std::uint64_t request_target::number(std::string_view name) const
{
    const std::string text = value(name);
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    return error == std::errc() && end == text.data() + text.size() ? n : 0;
}

} // namespace twat::mp::detail
