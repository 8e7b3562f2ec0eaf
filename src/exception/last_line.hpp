// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_EXCEPTION_LAST_LINE_HPP
#define TWAT_MP_SRC_EXCEPTION_LAST_LINE_HPP

#include <string>
#include <string_view>

namespace twat::mp::detail {

/// The last line that is not blank, fit for a message: at most 200 bytes, and no control characters. Empty if there is none.
inline std::string last_line(std::string_view text)
{
    constexpr std::string_view blank = " \t\r\n\v\f";
    const auto end = text.find_last_not_of(blank);
    if (end == text.npos)
        return {};
    text = text.substr(0, end + 1);
    if (const auto begin = text.find_last_of('\n'); begin != text.npos)
        text.remove_prefix(begin + 1);
    std::string line(text.substr(0, 200));
    for (char& c : line)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
            c = ' ';
    if (line.size() < text.size())
        line += "...";
    return line;
}

} // namespace twat::mp::detail

#endif
