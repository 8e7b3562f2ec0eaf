// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <memory>
#include <utility>

#include <twat/mp/cluster/workers.hpp>
#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "cluster/cluster_workers.hpp"
#include "start/marker.hpp"

namespace twat::mp {
namespace detail::cluster {
namespace {

pool_options pool_options_of(const cluster_options& options)
{
    pool_options known;
    known.nodes = 1; // until agents are heard of
    known.child_concurrency = options.child_concurrency;
    known.max_pending = options.max_pending;
    known.max_message_size = options.max_message_size;
    known.on_event = options.on_event;
    known.on_trace = options.on_trace;
    known.start_timeout = options.wait_for_agents > duration::zero() ? options.wait_for_agents : duration::max();
    return known;
}

void check_hook(const char* member, const task& hook)
{
    if (hook && !hook.portable())
        refuse_option(member, "captures something or holds a value without a codec: it cannot be sent to another host; "
                              "pass a function and its arguments, mp::task(f, args...)");
}

class cluster_factory final : public backend_factory
{
public:
    explicit cluster_factory(cluster_options given)
        : backend_factory(pool_options_of(given)), options_(std::move(given))
    {
        if (options_.url.empty())
            refuse_option("cluster_options::url", "is empty; it names the broker, as nats://host:4222");
        if (options_.lease < std::chrono::milliseconds(100))
            refuse_option("cluster_options::lease",
                          "is less than 100 ms: agents would be taken for lost while they wait for a processor");
        if (options_.wait_for_agents < duration::zero())
            refuse_option("cluster_options::wait_for_agents", "is negative");
        if (options_.replicas == 0 || options_.replicas > 5 || options_.replicas % 2 == 0)
            refuse_option("cluster_options::replicas", "must be 1, 3 or 5");
        check_hook("cluster_options::initializer", options_.initializer);
        check_hook("cluster_options::finalizer", options_.finalizer);
    }

    std::size_t count_nodes(std::size_t wanted, const char*) const override { return wanted == 0 ? 1 : wanted; }

    std::unique_ptr<worker_set> make(const backend_site& site) const override
    {
        return std::make_unique<cluster_workers_set>(options_, site);
    }

    void check_use() const override { exit_if_not_entered(); }
    bool may_prepare() const override { return get_worker_state() != worker_state::marked; }

private:
    const cluster_options options_;
};

} // namespace
} // namespace detail::cluster

std::shared_ptr<const detail::backend_factory> cluster_workers::make(cluster_options options)
{
    return std::make_shared<const detail::cluster::cluster_factory>(std::move(options));
}

} // namespace twat::mp
