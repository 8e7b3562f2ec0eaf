// SPDX-License-Identifier: BSL-1.0
#include "worker/memory_probe.hpp"

#include <algorithm>

#include "os/memory_use.hpp"

namespace twat::mp::detail {

void memory_probe::look_now(time_point now) noexcept
{
    last_ = now;
    // The memory in which large values lie is shared, and kept for the next: it is not this worker that grew.
    if (const auto use = read_memory_use())
        page_.resident_size().store(use->resident - std::min(use->resident, use->shared), std::memory_order_relaxed);
}

} // namespace twat::mp::detail
