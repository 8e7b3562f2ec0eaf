// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_ACCOUNTS_HPP
#define TWAT_MP_SRC_ENGINE_ACCOUNTS_HPP

#include <cstddef>

#include "engine/fair_queue.hpp"
#include "engine/state.hpp"
#include "engine/tenants.hpp"

namespace twat::mp::detail {

/** What tenants have had of the workers' time, and so whose turn it is; those that run as much as they may get none.

    A tenant is charged when a worker gets a chunk, by how long such tasks have taken, and what that was wrong by is put right when it is over.
*/
class accounts
{
public:
    /// @param board Outlives this. @param child_concurrency Coroutines that share a worker's time.
    accounts(tenant_board& board, std::size_t child_concurrency) noexcept
        : child_concurrency_(static_cast<double>(child_concurrency)), tenants_(board)
    {}

    tenant_state& tenant(tenant_id id) { return tenants_.get(id); }
    tenant_state& set(tenant_id id, const tenant_options& options);
    /// One of its operations is over.
    void release(tenant_state& tenant) noexcept { tenants_.release(tenant); }
    std::size_t size() const noexcept { return tenants_.size(); }

    /// The operations that have something to hand out, in the order of their turns.
    fair_queue<operation_state>& turns() noexcept { return queue_; }

    /// A worker gets the chunk.
    void charge(given_chunk& held);
    /// So many of its tasks were taken back, and will be charged when they are handed out again.
    void refund(given_chunk& held, std::size_t tasks) noexcept;
    // The rest returns whether the tenant gets turns again that got none.
    /// None of the chunk's tasks runs any more.
    bool no_longer_runs(given_chunk& held) noexcept;
    /// The chunk is over: a worker was at so many of its tasks for so long. Only the first time.
    bool settle(given_chunk& held, duration used, std::size_t tasks) noexcept;

private:
    void hold_back(tenant_state& tenant) noexcept;

    const double child_concurrency_;
    tenant_table tenants_;
    fair_queue<operation_state> queue_;
    double per_task_ = -1; // nanoseconds that a task of anybody takes, a moving average; negative: not known
};

} // namespace twat::mp::detail

#endif
