// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_JSON_LINE_HPP
#define TWAT_MP_BENCH_JSON_LINE_HPP

#include <cstdio>
#include <string>

namespace bench {

/// One object of JSON on one line of standard output.
class json_line
{
public:
    json_line& add(const std::string& key, const std::string& text) { return put(key, quoted(text)); }
    json_line& add(const std::string& key, const char* text) { return put(key, quoted(text)); }
    json_line& add(const std::string& key, bool value) { return put(key, value ? "true" : "false"); }
    json_line& add(const std::string& key, double value)
    {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.9g", value);
        return put(key, digits);
    }

    void print() const
    {
        std::printf("{%s}\n", members_.c_str());
        std::fflush(stdout);
    }

private:
    json_line& put(const std::string& key, const std::string& value)
    {
        if (!members_.empty())
            members_ += ", ";
        members_ += quoted(key) + ": " + value;
        return *this;
    }

    // The texts are our own: names of rows, without control characters.
    static std::string quoted(const std::string& text)
    {
        std::string out = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\')
                out += '\\';
            out += c;
        }
        return out + '"';
    }

    std::string members_;
};

} // namespace bench

#endif
