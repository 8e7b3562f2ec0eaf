// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/workers.hpp>

#include <string>
#include <utility>

#include <twat/mp/error.hpp>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/operation/backend_factory.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "backend/count_nodes.hpp"
#include "backend/worker_set.hpp"
#include "chaos/setting.hpp"
#include "os/niceness.hpp"
#include "start/marker.hpp"

namespace twat::mp {
namespace detail {
namespace {

void check_hook(const char* member, const task& hook)
{
    if (hook && !hook.portable())
        refuse_option(member, "captures something or holds a value without a codec: it cannot be sent to a process; "
                              "pass a function and its arguments, mp::task(f, args...)");
}

class process_factory final : public backend_factory
{
public:
    explicit process_factory(pool_options given) : backend_factory(with_chaos_of_environment(std::move(given), true))
    {
        check_hook("pool_options::initializer", options().initializer);
        check_hook("pool_options::finalizer", options().finalizer);
        if (!options().state.portable())
            refuse_option("pool_options::state",
                          "captures something or holds a value without a codec: it cannot be sent to a process; "
                          "pass a function and its arguments, mp::worker_state<T>(factory, args...)");
    }

    std::size_t count_nodes(std::size_t wanted, const char* name) const override
    {
        const bool captures = options().child_stderr == error_output::capture;
        return count_local_nodes(wanted, captures ? 4 : 3, name); // a socket, an event, a pidfd and a pipe each
    }

    std::unique_ptr<worker_set> make(const backend_site& site) const override
    {
        pool_options known = options();
        known.nice = niceness_of_workers(known.nice, site.link->beside_a_loop());
        return make_process_workers(site.strand, site.link, known, site.nodes, site.events);
    }

    void check_use() const override { exit_if_not_entered(); }

    // A global pool of a program that is being started as a worker must not start workers.
    bool may_prepare() const override { return get_worker_state() != worker_state::marked; }

    std::exception_ptr why_impossible() const override
    {
        if (nesting_depth() < nesting_limit)
            return nullptr;
        return make_error(errc::nesting_too_deep, "a process pool inside " + std::to_string(nesting_limit) +
                                                      " workers of pools inside each other");
    }
};

} // namespace
} // namespace detail

std::shared_ptr<const detail::backend_factory> process_workers::make(pool_options options)
{
    return std::make_shared<const detail::process_factory>(std::move(options));
}

} // namespace twat::mp
