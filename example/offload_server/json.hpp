// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_JSON_HPP
#define OFFLOAD_JSON_HPP

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace offload {

/// How many bytes the character in UTF-8 has that `text` starts with; 0, if it does not start with one.
inline std::size_t utf8_size(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const unsigned first = byte(0), second = byte(1);
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first < 0xf0)
        return follows(1) && follows(2) && (first != 0xe0 || second >= 0xa0) && (first != 0xed || second < 0xa0) ? 3
                                                                                                                 : 0;
    if (first >= 0xf0 && first < 0xf5)
        return follows(1) && follows(2) && follows(3) && (first != 0xf0 || second >= 0x90) &&
                       (first != 0xf4 || second < 0x90)
                   ? 4
                   : 0;
    return 0;
}

/// A string in JSON. What is no UTF-8 becomes U+FFFD: paths and messages may hold anything.
inline std::string json(std::string_view text)
{
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t size = utf8_size(text);
        const char c = text.front();
        if (size == 0)
            out += "\xef\xbf\xbd";
        else if (size > 1)
            out += text.substr(0, size);
        else if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
            out += code;
        } else
            out += c;
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out += '"';
}

inline std::string json(const char* text) { return json(std::string_view(text)); }
inline std::string json(bool value) { return value ? "true" : "false"; }
inline std::string json(std::integral auto value) { return std::to_string(value); }
inline std::string json(double value)
{
    if (!std::isfinite(value))
        return "null";
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", value);
    return text;
}

/// Writes `{"name":value,...}`.
class json_object
{
public:
    json_object& add(std::string_view name, const auto& value) { return add_raw(name, json(value)); }
    json_object& add_raw(std::string_view name, std::string_view text)
    {
        text_ += text_.size() == 1 ? "" : ",";
        text_ += json(name);
        text_ += ':';
        text_ += text;
        return *this;
    }
    std::string text() const { return text_ + "}"; }

private:
    std::string text_ = "{";
};

} // namespace offload

#endif
