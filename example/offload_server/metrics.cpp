// SPDX-License-Identifier: BSL-1.0
#include "metrics.hpp"

#include <algorithm>

#include "prometheus.hpp"

namespace offload {
namespace {

constexpr mode modes[] = {mode::processes, mode::cluster, mode::threads, mode::in_loop};

std::string label(mode m) { return std::string("workers=\"") + name_of(m) + "\""; }

} // namespace

void metrics::answered(const std::string& route, unsigned status, std::chrono::nanoseconds took)
{
    requests_[{route, status}].record(took);
}

std::string metrics::text(const workshop& work, const loop_lag& lag) const
{
    prometheus_text p;
    const auto each = [&](const char* name, const char* type, const char* help, auto write) {
        p.head(name, type, help);
        for (const mode m : modes)
            if (work.has(m))
                write(std::string(name), label(m), work.stats(m));
    };
    each("offload_tasks_total", "counter", "Tasks by how they ended.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             const auto outcome = [&](const char* how, std::size_t n) {
                 p.value(name, labels + ",outcome=\"" + how + "\"", static_cast<double>(n));
             };
             outcome("done", s.done);
             outcome("failed", s.failed - s.timed_out - s.lost);
             outcome("timed_out", s.timed_out);
             outcome("worker_died", s.lost);
             outcome("cancelled", s.cancelled);
         });
    each("offload_refused_total", "counter", "Requests that were refused because too many waited.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             p.value(name, labels, static_cast<double>(s.refused));
         });
    each("offload_queue_length", "gauge", "Requests that wait for a worker.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             p.value(name, labels, static_cast<double>(s.pending));
         });
    each("offload_workers", "gauge", "Workers by state.", [&](auto name, auto labels, const mp::pool_stats& s) {
        p.value(name, labels + ",state=\"busy\"", static_cast<double>(s.busy));
        p.value(name, labels + ",state=\"idle\"", static_cast<double>(s.ready - std::min(s.ready, s.busy)));
        p.value(name, labels + ",state=\"absent\"", static_cast<double>(s.nodes - std::min(s.nodes, s.ready)));
    });
    each("offload_worker_deaths_total", "counter", "Workers that died without being told to.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.value(name, labels, static_cast<double>(s.died)); });
    each("offload_worker_restarts_total", "counter", "Workers that were started in the place of another.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             p.value(name, labels, static_cast<double>(s.restarts));
         });
    each("offload_workers_recycled_total", "counter", "Workers that were replaced because they had run enough tasks.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             p.value(name, labels, static_cast<double>(s.recycled));
         });
    each("offload_worker_bytes_total", "counter", "Bytes of arguments to workers and of results from them.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             p.value(name, labels + ",direction=\"sent\"", static_cast<double>(s.bytes_sent));
             p.value(name, labels + ",direction=\"received\"", static_cast<double>(s.bytes_received));
         });
    each("offload_queue_wait_seconds", "histogram", "How long requests waited for a worker.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.histogram(name, labels, s.queue_wait); });
    each("offload_task_seconds", "histogram", "How long tasks ran.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.histogram(name, labels, s.run_time); });

    const auto labels = [](const auto& key) {
        return "route=\"" + key.first + "\",code=\"" + std::to_string(key.second) + "\"";
    };
    p.head("offload_http_requests_total", "counter", "Answers by route and status; 499: the client had hung up.");
    for (const auto& [key, took] : requests_)
        p.value("offload_http_requests_total", labels(key), static_cast<double>(took.count()));
    p.head("offload_http_request_seconds", "histogram", "From the first byte of a request until its answer was ready.");
    for (const auto& [key, took] : requests_)
        p.histogram("offload_http_request_seconds", labels(key), took);
    p.head("offload_http_bytes_total", "counter", "Bytes of requests and answers.");
    p.value("offload_http_bytes_total", "direction=\"received\"", static_cast<double>(received_));
    p.value("offload_http_bytes_total", "direction=\"sent\"", static_cast<double>(sent_));
    p.single("offload_http_connections", "gauge", "Open connections.", static_cast<double>(connections));
    p.head("offload_loop_lag_seconds", "histogram", "How late the event loop comes to a timer.");
    p.histogram("offload_loop_lag_seconds", "", lag.measured());
    write_process(p);
    write_build(p);
    return p.take();
}

} // namespace offload
