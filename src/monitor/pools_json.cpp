// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstdio>
#include <initializer_list>
#include <utility>

#include "monitor/texts.hpp"

namespace twat::mp::detail {
namespace {

std::string string(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        char code[8];
        // names may hold anything, in no encoding
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '<')
            std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else if (c == '"' || c == '\\')
            std::snprintf(code, sizeof code, "\\%c", c);
        else
            std::snprintf(code, sizeof code, "%c", c);
        out += code;
    }
    return out + '"';
}

std::string ms(std::chrono::nanoseconds time)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double, std::milli>(time).count());
    return text;
}

std::string json(const std::string& name, const pool_stats& s)
{
    std::string out = "{\"name\":" + string(name);
    const auto add = [&](const char* key, const std::string& value) {
        out += ",\"" + std::string(key) + "\":" + value;
    };
    for (const auto& [key, value] :
         std::initializer_list<std::pair<const char*, std::size_t>>{{"nodes", s.nodes},
                                                                    {"ready", s.ready},
                                                                    {"busy", s.busy},
                                                                    {"pending", s.pending},
                                                                    {"running", s.running},
                                                                    {"done", s.done},
                                                                    {"failed", s.failed},
                                                                    {"timed_out", s.timed_out},
                                                                    {"lost", s.lost},
                                                                    {"cancelled", s.cancelled},
                                                                    {"refused", s.refused},
                                                                    {"died", s.died},
                                                                    {"restarts", s.restarts}})
        add(key, std::to_string(value));
    add("wait_p50_ms", ms(s.queue_wait.quantile(0.5)));
    add("wait_p99_ms", ms(s.queue_wait.quantile(0.99)));
    add("run_p50_ms", ms(s.run_time.quantile(0.5)));
    add("run_p99_ms", ms(s.run_time.quantile(0.99)));
    std::string labels;
    for (const label_stats& l : s.labels)
        labels += (labels.empty() ? "" : ",") + ("{\"label\":" + string(l.label)) +
                  ",\"tasks\":" + std::to_string(l.tasks) + ",\"cpu_ms\":" + ms(l.user + l.system) + "}";
    add("labels", "[" + labels + "]");
    return out + "}";
}

} // namespace

std::string pools_json(const watched_pools& pools)
{
    std::string all;
    for (const auto& [name, stats] : pools)
        all += (all.empty() ? "" : ",") + json(name, stats);
    return "{\"pools\":[" + all + "]}\n";
}

} // namespace twat::mp::detail
