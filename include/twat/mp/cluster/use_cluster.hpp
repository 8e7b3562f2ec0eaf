// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CLUSTER_USE_CLUSTER_HPP
#define TWAT_MP_CLUSTER_USE_CLUSTER_HPP

#include <twat/mp/cluster/options.hpp>
#include <twat/mp/config.hpp>

namespace twat::mp {

/** Makes `any_pool` and `any_async_pool` know the backend `cluster`: their pools then are cluster pools with these options.

    Called in `main`, behind `run_if_worker` and `run_if_agent`. (A library cannot do it by itself: a linker drops from a static library what the
    program does not name.) Another call replaces the options for pools that are made from then on.

    What such a pool is given as `pool_options` goes before these options where both have the member: `initializer`, `finalizer`,
    `child_concurrency`, `max_pending`, `max_message_size`, `on_event`, `on_trace`. Other members of `pool_options` describe the workers of one
    machine, whose agents have them as `agent_options::local`; so the pool's constructor refuses them when they differ from their defaults.

    @throws std::invalid_argument that names the member, if an option is bad.
    @throws std::logic_error if something else is registered as `cluster`.

    @par Thread Safety
    May be called from any thread.
*/
TWAT_MP_CLUSTER_DECL void use_cluster(cluster_options options = {});

} // namespace twat::mp

#endif
