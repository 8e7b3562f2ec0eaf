// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "monitor/texts.hpp"

namespace twat::mp::detail {
namespace {

/// The value of a label.
std::string label_value(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text)
        out += c == '\n' ? std::string("\\n") : c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    return out + '"';
}

class writer
{
public:
    explicit writer(const watched_pools& pools) : pools_(pools) {}

    /// One metric of all pools; `write(labels, stats)`.
    template <class Write>
    void metric(const std::string& name, const char* type, const char* help, Write write)
    {
        name_ = name;
        text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
        for (const auto& [pool, stats] : pools_)
            write("pool=" + label_value(pool), stats);
    }

    void value(const std::string& labels, double number, const char* suffix = "")
    {
        char digits[40];
        std::snprintf(digits, sizeof digits, "%.15g", number);
        text += name_ + suffix + "{" + labels + "} " + digits + "\n";
    }

    void values(const std::string& labels, const histogram& of)
    {
        for (const double limit :
             {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0}) {
            char le[24];
            std::snprintf(le, sizeof le, "%g", limit);
            const auto bound = std::chrono::duration_cast<histogram::duration>(std::chrono::duration<double>(limit));
            value(labels + ",le=\"" + le + "\"", static_cast<double>(of.count_up_to(bound)), "_bucket");
        }
        value(labels + ",le=\"+Inf\"", static_cast<double>(of.count()), "_bucket");
        value(labels, std::chrono::duration<double>(of.sum()).count(), "_sum");
        value(labels, static_cast<double>(of.count()), "_count");
    }

    std::string text;

private:
    const watched_pools& pools_;
    std::string name_;
};

double seconds(std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); }
double number(std::size_t n) { return static_cast<double>(n); }

} // namespace

std::string metrics_text(const watched_pools& pools)
{
    writer w(pools);
    w.metric("twat_mp_tasks_total", "counter", "Tasks by how they ended.",
             [&](const std::string& labels, const pool_stats& s) {
                 w.value(labels + ",outcome=\"done\"", number(s.done));
                 w.value(labels + ",outcome=\"failed\"", number(s.failed - s.timed_out - s.lost));
                 w.value(labels + ",outcome=\"timed_out\"", number(s.timed_out));
                 w.value(labels + ",outcome=\"worker_died\"", number(s.lost));
                 w.value(labels + ",outcome=\"cancelled\"", number(s.cancelled));
             });
    w.metric("twat_mp_refused_total", "counter", "Operations that were refused because too many waited.",
             [&](const std::string& labels, const pool_stats& s) { w.value(labels, number(s.refused)); });
    w.metric("twat_mp_pending", "gauge", "Operations that wait for a worker.",
             [&](const std::string& labels, const pool_stats& s) { w.value(labels, number(s.pending)); });
    w.metric("twat_mp_workers", "gauge", "Workers by state.", [&](const std::string& labels, const pool_stats& s) {
        w.value(labels + ",state=\"busy\"", number(s.busy));
        w.value(labels + ",state=\"idle\"", number(s.ready - std::min(s.ready, s.busy)));
        w.value(labels + ",state=\"absent\"", number(s.nodes - std::min(s.nodes, s.ready)));
    });
    w.metric("twat_mp_worker_deaths_total", "counter", "Workers that died without being told to.",
             [&](const std::string& labels, const pool_stats& s) { w.value(labels, number(s.died)); });
    w.metric("twat_mp_worker_restarts_total", "counter", "Workers that were started in the place of another.",
             [&](const std::string& labels, const pool_stats& s) { w.value(labels, number(s.restarts)); });
    w.metric("twat_mp_bytes_total", "counter", "Bytes of arguments to workers and of results from them.",
             [&](const std::string& labels, const pool_stats& s) {
                 w.value(labels + ",direction=\"sent\"", static_cast<double>(s.bytes_sent));
                 w.value(labels + ",direction=\"received\"", static_cast<double>(s.bytes_received));
             });
    w.metric("twat_mp_cpu_seconds_total", "counter", "CPU time of measured tasks, by label.",
             [&](const std::string& labels, const pool_stats& s) {
                 for (const label_stats& l : s.labels) {
                     w.value(labels + ",label=" + label_value(l.label) + ",mode=\"user\"", seconds(l.user));
                     w.value(labels + ",label=" + label_value(l.label) + ",mode=\"system\"", seconds(l.system));
                 }
             });
    w.metric("twat_mp_tenant_cpu_seconds_total", "counter", "CPU time of measured tasks, by tenant.",
             [&](const std::string& labels, const pool_stats& s) {
                 for (const tenant_stats& t : s.tenants)
                     w.value(labels + ",tenant=\"" + std::to_string(t.id.value) + "\"", seconds(t.cpu_time));
             });
    w.metric("twat_mp_queue_wait_seconds", "histogram", "How long operations waited for a worker.",
             [&](const std::string& labels, const pool_stats& s) { w.values(labels, s.queue_wait); });
    w.metric("twat_mp_task_seconds", "histogram", "How long tasks ran.",
             [&](const std::string& labels, const pool_stats& s) { w.values(labels, s.run_time); });
    return std::move(w.text);
}

} // namespace twat::mp::detail
