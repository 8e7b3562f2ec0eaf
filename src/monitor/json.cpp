// SPDX-License-Identifier: BSL-1.0
#include "monitor/json.hpp"

#include <cstdio>

namespace twat::mp::detail {
namespace {

/// Bytes of the character that `text` begins with, 0 if that is no UTF-8.
std::size_t character(std::string_view text) noexcept
{
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
    if (size == 0 || size > text.size())
        return 0;
    for (std::size_t i = 1; i != size; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            return 0;
    const auto next = size > 1 ? static_cast<unsigned char>(text[1]) : 0;
    const bool overlong = (lead == 0xe0 && next < 0xa0) || (lead == 0xf0 && next < 0x90);
    const bool outside = (lead == 0xed && next >= 0xa0) || (lead == 0xf4 && next >= 0x90);
    return overlong || outside ? 0 : size;
}

} // namespace

std::string json_text(std::string_view text)
{
    std::string out = "\"";
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t size = character(text);
        if (size == 0 || c < 0x20 || c == 0x7f || c == '<') {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", c);
            out += code;
        } else {
            if (c == '"' || c == '\\')
                out += '\\';
            out += text.substr(0, size);
        }
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out + '"';
}

std::string json_ms(std::chrono::nanoseconds time)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double, std::milli>(time).count());
    return text;
}

} // namespace twat::mp::detail
