// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CLUSTER_WORKERS_HPP
#define TWAT_MP_CLUSTER_WORKERS_HPP

#include <memory>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/cluster/options.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/workers.hpp>

namespace twat::mp {

/** Tag and traits: the workers of a pool are those of agents on other hosts. See `worker_traits`. */
struct cluster_workers
{
    /// What the constructors of the pool take.
    using options = cluster_options;
    /// Calls travel as bytes: functions must be portable, arguments and results encodable.
    static constexpr bool encodes = true;
    /// Checks the options. @throws std::invalid_argument that names the member, if one is bad.
    TWAT_MP_CLUSTER_DECL static std::shared_ptr<const detail::backend_factory> make(cluster_options options);
};

/// Runs functions on the hosts of a cluster, for a Boost.Asio program: the verbs of `async_multi_pool`.
using async_cluster_pool = basic_async_pool<cluster_workers>;

/// Runs functions on the hosts of a cluster, and waits for them: the verbs of `process_pool`.
using cluster_pool = multi_pool<cluster_workers>;

} // namespace twat::mp

#endif
