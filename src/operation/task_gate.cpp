// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/task_gate.hpp>

#include <algorithm>
#include <utility>

#include "os/heavy_fence.hpp"

namespace twat::mp::detail {
// Asked once.
bool task_gate::has_heavy_fence() noexcept
{
    static const bool has = heavy_fence();
    return has;
}

task_gate::closed task_gate::close() noexcept
{
    std::lock_guard lock(mutex_);
    if (closed_)
        return {limit_.load(std::memory_order_relaxed), false};
    limit_.store(0, std::memory_order_seq_cst);
    // Without the fence nobody can tell how far the thread is: then all count as begun.
    const bool known = !light_ || heavy_fence();
    const std::size_t begun = known ? std::min(begun_.load(std::memory_order_seq_cst), count_) : count_;
    limit_.store(begun, std::memory_order_seq_cst);
    closed_ = true;
    return {begun, true};
}

// The thread may not go on, or `close` has not decided yet.
bool task_gate::confirm(std::size_t position) noexcept
{
    std::lock_guard lock(mutex_);
    const std::size_t limit = limit_.load(std::memory_order_relaxed);
    if (position < limit)
        return true;
    begun_.store(limit, std::memory_order_release);
    return false;
}

} // namespace twat::mp::detail
