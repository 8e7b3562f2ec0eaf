// SPDX-License-Identifier: BSL-1.0
#include <initializer_list>
#include <utility>

#include "monitor/json.hpp"
#include "monitor/texts.hpp"

namespace twat::mp::detail {

void add_counters(json_list& to, const pool_stats& s)
{
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
        to.add(key, value);
    json_list labels('[');
    for (const label_stats& l : s.labels)
        labels.add(json_list('{')
                       .add("label", json_text(l.label))
                       .add("tasks", l.tasks)
                       .add("cpu_ms", json_ms(l.user + l.system))
                       .close());
    to.add("labels", labels.close());
    if (s.hosts.empty())
        return;
    json_list hosts('[');
    for (const host_stats& h : s.hosts)
        hosts.add(json_list('{').add("host", json_text(h.host)).add("nodes", h.nodes).close());
    to.add("hosts", hosts.close());
}

void add_quantiles(json_list& to, const histogram& waits, const histogram& runs)
{
    to.add("wait_p50_ms", json_ms(waits.quantile(0.5))).add("wait_p99_ms", json_ms(waits.quantile(0.99)));
    to.add("run_p50_ms", json_ms(runs.quantile(0.5))).add("run_p99_ms", json_ms(runs.quantile(0.99)));
}

std::string pools_json(const watched_pools& pools)
{
    json_list all('[');
    for (const auto& [name, stats] : pools) {
        json_list one('{');
        one.add("name", json_text(name));
        add_counters(one, stats);
        add_quantiles(one, stats.queue_wait, stats.run_time);
        all.add(one.close());
    }
    return "{\"pools\":" + all.close() + "}\n";
}

} // namespace twat::mp::detail
