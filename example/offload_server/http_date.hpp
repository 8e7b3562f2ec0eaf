// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_HTTP_DATE_HPP
#define OFFLOAD_HTTP_DATE_HPP

#include <cstdio>
#include <ctime>
#include <string>

namespace offload {

/// Now, as the field Date has it: "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
inline const std::string& http_date()
{
    static thread_local std::time_t when = -1;
    static thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != when) {
        static constexpr char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static constexpr char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        std::tm t{};
        ::gmtime_r(&now, &t);
        char line[96];
        std::snprintf(line, sizeof line, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
                      months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
        text = line;
        when = now;
    }
    return text;
}

} // namespace offload

#endif
