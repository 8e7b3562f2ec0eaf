// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_JSON_HPP
#define OFFLOAD_JSON_HPP

#include <cmath>
#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>

namespace offload {

inline std::string json(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text)
        if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
            out += code;
        } else
            out += c;
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
