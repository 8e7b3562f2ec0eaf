// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/workers.hpp>

#include <utility>

#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "backend/count_nodes.hpp"
#include "backend/worker_set.hpp"
#include "chaos/setting.hpp"
#include "os/niceness.hpp"

namespace twat::mp {
namespace detail {
namespace {

class thread_factory final : public backend_factory
{
public:
    explicit thread_factory(pool_options given) : backend_factory(with_chaos_of_environment(std::move(given), false))
    {
        const pool_options& known = options();
        if (!known.executable.empty())
            refuse_option("pool_options::executable", "is set, but the workers are threads of this program");
        if (known.max_memory_per_child != 0)
            refuse_option("pool_options::max_memory_per_child",
                          "is set, but the workers are threads, which share the memory of this program");
        if (known.max_rss_per_child != 0)
            refuse_option("pool_options::max_rss_per_child",
                          "is set, but the workers are threads, which share the memory of this program");
        if (known.chaos.kill > 0)
            refuse_option("pool_options::chaos.kill", "is set, but the workers are threads, which cannot be killed");
        if (known.spin != duration::zero())
            refuse_option("pool_options::spin", "is set, but the workers are threads, which do not spin");
        if (known.max_pending_bytes != 0)
            refuse_option("pool_options::max_pending_bytes",
                          "is set, but the workers are threads, for which arguments are not made into bytes");
        if (known.child_stderr != error_output::inherit)
            refuse_option("pool_options::child_stderr",
                          "is set, but the workers are threads, which share the descriptors of this program");
    }

    bool encodes() const noexcept override { return false; }

    std::size_t count_nodes(std::size_t wanted, const char* name) const override
    {
        return count_local_nodes(wanted, 0, name);
    }

    std::unique_ptr<worker_set> make(const backend_site& site) const override
    {
        pool_options known = options();
        known.nice = niceness_of_workers(known.nice, site.link->beside_a_loop());
        return make_thread_workers(site.strand, site.link, known, site.events);
    }
};

} // namespace
} // namespace detail

std::shared_ptr<const detail::backend_factory> thread_workers::make(pool_options options)
{
    return std::make_shared<const detail::thread_factory>(std::move(options));
}

} // namespace twat::mp
