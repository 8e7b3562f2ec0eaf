// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_JSON_HPP
#define TWAT_MP_SRC_MONITOR_JSON_HPP

#include <chrono>
#include <string>
#include <string_view>

namespace twat::mp::detail {

/// A string in quotes. Names and messages may hold anything: what is no UTF-8 is taken for Latin-1, and nothing can end a script element.
std::string json_text(std::string_view text);
/// Milliseconds with microseconds behind the point.
std::string json_ms(std::chrono::nanoseconds time);

/// An object or an array as it grows.
class json_list
{
public:
    explicit json_list(char open) : text_(1, open) {}

    json_list& add(const std::string& value)
    {
        if (text_.size() > 1)
            text_ += ',';
        text_ += value;
        return *this;
    }
    json_list& add(std::string_view key, const std::string& value)
    {
        return add('"' + std::string(key) + "\":" + value);
    }
    json_list& add(std::string_view key, std::size_t value) { return add(key, std::to_string(value)); }

    std::string close() { return text_ + (text_.front() == '[' ? ']' : '}'); }

private:
    std::string text_;
};

} // namespace twat::mp::detail

#endif
