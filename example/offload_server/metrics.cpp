// SPDX-License-Identifier: BSL-1.0
#include "metrics.hpp"

#include <algorithm>
#include <cstdio>

#include "json.hpp"

namespace offload {
namespace {

constexpr mode modes[] = {mode::processes, mode::threads, mode::in_loop};

class page
{
public:
    void head(const char* name, const char* type, const char* help)
    {
        text_ += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
    }
    void value(const std::string& name, const std::string& labels, double value)
    {
        char number[40];
        std::snprintf(number, sizeof number, "%.9g", value);
        text_ += name + (labels.empty() ? "" : "{" + labels + "}") + " " + number + "\n";
    }
    void histogram(const std::string& name, const std::string& labels, const mp::histogram& h)
    {
        const std::string more = labels.empty() ? "" : labels + ",";
        for (const double limit : {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0}) {
            char le[24];
            std::snprintf(le, sizeof le, "%g", limit);
            const auto bound = std::chrono::duration_cast<mp::histogram::duration>(std::chrono::duration<double>(limit));
            value(name + "_bucket", more + "le=\"" + le + "\"", static_cast<double>(h.count_up_to(bound)));
        }
        value(name + "_bucket", more + "le=\"+Inf\"", static_cast<double>(h.count()));
        value(name + "_sum", labels, std::chrono::duration<double>(h.sum()).count());
        value(name + "_count", labels, static_cast<double>(h.count()));
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string label(mode m) { return std::string("workers=\"") + name_of(m) + "\""; }

bool is_work(const std::string& route)
{
    return route == "/thumbnail" || route == "/hash" || route == "/primes" || route == "/slow" || route == "/crash";
}

double milliseconds(std::chrono::nanoseconds t) { return std::chrono::duration<double, std::milli>(t).count(); }

} // namespace

void metrics::answered(const std::string& route, unsigned status, std::chrono::nanoseconds took)
{
    ++requests_[{route, status}];
    if (is_work(route))
        work_time_.record(took);
}

std::string metrics::text(const workshop& work, const live& feed) const
{
    page p;
    const auto each = [&](const char* name, const char* type, const char* help, auto write) {
        p.head(name, type, help);
        for (const mode m : modes)
            write(std::string(name), label(m), work.stats(m));
    };
    each("offload_tasks_total", "counter", "Tasks by how they ended.", [&](auto name, auto labels, const mp::pool_stats& s) {
        const auto outcome = [&](const char* how, std::size_t n) {
            p.value(name, labels + ",outcome=\"" + how + "\"", static_cast<double>(n));
        };
        outcome("done", s.done);
        outcome("failed", s.failed - s.timed_out - s.lost);
        outcome("timed_out", s.timed_out);
        outcome("worker_died", s.lost);
        outcome("cancelled", s.cancelled);
    });
    each("offload_queue_length", "gauge", "Requests that wait for a worker.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.value(name, labels, static_cast<double>(s.pending)); });
    each("offload_workers", "gauge", "Workers by state.", [&](auto name, auto labels, const mp::pool_stats& s) {
        p.value(name, labels + ",state=\"busy\"", static_cast<double>(s.busy));
        p.value(name, labels + ",state=\"idle\"", static_cast<double>(s.ready - std::min(s.ready, s.busy)));
        p.value(name, labels + ",state=\"absent\"", static_cast<double>(s.nodes - std::min(s.nodes, s.ready)));
    });
    each("offload_worker_deaths_total", "counter", "Workers that died without being told to.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.value(name, labels, static_cast<double>(s.died)); });
    each("offload_worker_restarts_total", "counter", "Workers that were started in the place of another.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.value(name, labels, static_cast<double>(s.restarts)); });
    each("offload_worker_bytes_total", "counter", "Bytes of arguments to workers and of results from them.",
         [&](auto name, auto labels, const mp::pool_stats& s) {
             p.value(name, labels + ",direction=\"sent\"", static_cast<double>(s.bytes_sent));
             p.value(name, labels + ",direction=\"received\"", static_cast<double>(s.bytes_received));
         });
    each("offload_queue_wait_seconds", "histogram", "How long requests waited for a worker.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.histogram(name, labels, s.queue_wait); });
    each("offload_task_seconds", "histogram", "How long tasks ran.",
         [&](auto name, auto labels, const mp::pool_stats& s) { p.histogram(name, labels, s.run_time); });

    p.head("offload_http_requests_total", "counter", "Answers by route and status; 499: the client had hung up.");
    for (const auto& [key, n] : requests_)
        p.value("offload_http_requests_total", "route=\"" + key.first + "\",code=\"" + std::to_string(key.second) + "\"", static_cast<double>(n));
    p.head("offload_http_work_seconds", "histogram", "How long requests (and tasks of /flood) took that are work, with their wait.");
    p.histogram("offload_http_work_seconds", "", work_time_);
    p.head("offload_http_bytes_total", "counter", "Bytes of requests and answers.");
    p.value("offload_http_bytes_total", "direction=\"received\"", static_cast<double>(received_));
    p.value("offload_http_bytes_total", "direction=\"sent\"", static_cast<double>(sent_));
    p.head("offload_http_connections", "gauge", "Open connections.");
    p.value("offload_http_connections", "", static_cast<double>(connections));
    p.head("offload_loop_lag_seconds", "histogram", "How late the event loop comes to a timer.");
    p.histogram("offload_loop_lag_seconds", "", feed.lag());
    return p.take();
}

std::string metrics::figures(const workshop& work)
{
    const auto now = clock::now();
    if (past_.empty() || now - past_.back().when >= std::chrono::milliseconds(250))
        past_.push_back({now, work_time_});
    while (past_.size() > 1 && now - past_[1].when >= std::chrono::seconds(5))
        past_.pop_front();
    mp::histogram lately = work_time_;
    lately -= past_.front().work_time;
    const double seconds = std::max(1.0, std::chrono::duration<double>(now - past_.front().when).count());

    const mp::pool_stats s = work.stats(work.where());
    return json_object()
        .add("nodes", work.where() == mode::in_loop ? std::size_t(1) : s.nodes)
        .add("ready", s.ready)
        .add("busy", s.busy)
        .add("pending", s.pending)
        .add("done", s.done)
        .add("failed", s.failed - s.timed_out - s.lost)
        .add("timed_out", s.timed_out)
        .add("lost", s.lost)
        .add("cancelled", s.cancelled)
        .add("died", s.died)
        .add("restarts", s.restarts)
        .add("rate", static_cast<double>(lately.count()) / seconds)
        .add("p50", milliseconds(lately.quantile(0.5)))
        .add("p99", milliseconds(lately.quantile(0.99)))
        .text();
}

} // namespace offload
