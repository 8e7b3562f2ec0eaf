// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/cluster/use_cluster.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <twat/mp/backends.hpp>
#include <twat/mp/cluster/workers.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

namespace twat::mp {
namespace detail::cluster {
namespace {

struct used_cluster
{
    std::mutex mutex;
    std::optional<cluster_options> options; ///< Since the name was registered.
};

used_cluster& used()
{
    static used_cluster& one = *new used_cluster; // used by globals, too, while they are destroyed
    return one;
}

void refuse_if(bool differs, const char* member, const char* why)
{
    if (differs)
        refuse_option((std::string("pool_options::") + member).c_str(), std::string("is set, but ") + why);
}

/// What a pool on this machine can have, and one on others cannot.
void check_local_options(const pool_options& given)
{
    constexpr const char* of_agents = "the workers are those of agents on other hosts, which have it as "
                                      "agent_options::local";
    constexpr const char* not_sent = "a cluster pool does not have it";
    const pool_options normal;
    refuse_if(given.nodes != normal.nodes, "nodes", "the agents that serve decide how many workers there are");
    refuse_if(given.min_nodes != normal.min_nodes, "min_nodes",
              "the agents that serve decide how many workers there are");
    refuse_if(given.idle_timeout != normal.idle_timeout, "idle_timeout", of_agents);
    refuse_if(bool(given.state), "state", not_sent);
    refuse_if(!given.parcels.directory.empty() || given.parcels.timeouts || given.parcels.exceptions, "parcels",
              not_sent);
    refuse_if(given.max_tasks_per_child != 0, "max_tasks_per_child", of_agents);
    refuse_if(given.max_memory_per_child != 0, "max_memory_per_child", of_agents);
    refuse_if(given.max_rss_per_child != 0, "max_rss_per_child", of_agents);
    refuse_if(given.max_age_per_child != normal.max_age_per_child, "max_age_per_child", of_agents);
    refuse_if(given.recycle_jitter != normal.recycle_jitter, "recycle_jitter", of_agents);
    refuse_if(given.max_pending_bytes != 0, "max_pending_bytes", not_sent);
    refuse_if(given.on_overflow != normal.on_overflow, "on_overflow", not_sent);
    refuse_if(given.shed.target != normal.shed.target || given.shed.interval != normal.shed.interval, "shed", not_sent);
    refuse_if(given.restarts.count != normal.restarts.count || given.restarts.window != normal.restarts.window,
              "restarts", of_agents);
    refuse_if(given.start_timeout != normal.start_timeout, "start_timeout",
              "how long a pool waits for agents is cluster_options::wait_for_agents");
    refuse_if(given.stop_grace != normal.stop_grace, "stop_grace", of_agents);
    refuse_if(given.cancel_grace != normal.cancel_grace, "cancel_grace", of_agents);
    refuse_if(given.spin != normal.spin, "spin", "a cluster pool does not spin: results come from other hosts");
    refuse_if(given.nice != normal.nice, "nice", of_agents);
    refuse_if(!given.executable.empty(), "executable", "agents are of this very program");
    refuse_if(given.child_stderr != normal.child_stderr, "child_stderr", of_agents);
    refuse_if(given.measure_usage, "measure_usage", not_sent);
    refuse_if(given.chaos.any(), "chaos", of_agents);
}

std::shared_ptr<const backend_factory> make_used(pool_options given)
{
    check_local_options(given);
    cluster_options options;
    {
        used_cluster& cluster = used();
        std::lock_guard lock(cluster.mutex);
        options = *cluster.options;
    }
    const pool_options normal;
    if (given.initializer)
        options.initializer = std::move(given.initializer);
    if (given.finalizer)
        options.finalizer = std::move(given.finalizer);
    if (given.child_concurrency != normal.child_concurrency)
        options.child_concurrency = given.child_concurrency;
    if (given.max_pending != normal.max_pending)
        options.max_pending = given.max_pending;
    if (given.max_message_size != normal.max_message_size)
        options.max_message_size = given.max_message_size;
    if (given.on_event)
        options.on_event = std::move(given.on_event);
    if (given.on_trace)
        options.on_trace = std::move(given.on_trace);
    return cluster_workers::make(std::move(options));
}

} // namespace
} // namespace detail::cluster

void use_cluster(cluster_options options)
{
    cluster_workers::make(options); // throws if one is bad
    detail::cluster::used_cluster& cluster = detail::cluster::used();
    std::lock_guard lock(cluster.mutex);
    const bool known = cluster.options.has_value();
    cluster.options = std::move(options); // before the name is known, as pools may be made meanwhile
    if (!known && !register_backend("cluster", &detail::cluster::make_used)) {
        cluster.options.reset();
        throw std::logic_error("twat::mp::use_cluster: another backend is registered as \"cluster\"");
    }
}

} // namespace twat::mp
