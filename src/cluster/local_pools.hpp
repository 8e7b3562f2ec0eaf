// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_LOCAL_POOLS_HPP
#define TWAT_MP_SRC_CLUSTER_LOCAL_POOLS_HPP

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include <twat/mp/detail/operation/pool_core.hpp>
#include <twat/mp/options.hpp>

#include "cluster/messages.hpp"

namespace twat::mp::detail::cluster {

/// What every program with default options wants.
setup_message default_setup();

/// Names a setup; 0 for the default one.
std::uint64_t setup_id(const setup_message& setup);

/** The process pools of an agent: one for each way in which pools want their workers to be set up.

    Programs mostly want one way, so there is mostly one pool; one that has nothing to do keeps no workers.
*/
class local_pools
{
public:
    local_pools(asio::any_io_executor executor, pool_options options, std::size_t nodes);
    /// Kills the workers.
    ~local_pools();

    bool knows(std::uint64_t setup) const noexcept { return pools_.contains(setup); }
    /// Throws what the constructor of a pool throws.
    void add(std::uint64_t setup, const setup_message& wanted);
    /// @pre `knows(setup)`
    const std::shared_ptr<pool_core>& get(std::uint64_t setup) const { return pools_.at(setup); }

    /// Ends the workers in order, then calls `done`, on any strand.
    void join(std::function<void()> done);

private:
    const asio::any_io_executor executor_;
    const pool_options options_;
    const std::size_t nodes_;
    std::map<std::uint64_t, std::shared_ptr<pool_core>> pools_;
};

} // namespace twat::mp::detail::cluster

#endif
