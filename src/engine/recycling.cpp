// SPDX-License-Identifier: BSL-1.0
#include "engine/recycling.hpp"

#include <algorithm>
#include <cmath>

#include "time/saturating.hpp"

namespace twat::mp::detail {

void recycling::plan(ready_worker& worker, time_point now)
{
    const auto part = [this] { return 1 - bounds_.jitter * std::uniform_real_distribution<>()(random_); };
    if (bounds_.max_tasks_per_child != 0)
        worker.share = std::max<std::size_t>(
            1, static_cast<std::size_t>(std::ceil(static_cast<double>(bounds_.max_tasks_per_child) * part())));
    if (bounds_.max_age_per_child != duration::zero())
        ages_.set(worker.age, saturating_add(now, saturating_scale(bounds_.max_age_per_child, part())));
}

bool recycling::may_recycle_another(std::size_t recycling, std::size_t nodes) noexcept
{
    return recycling < std::max<std::size_t>(1, nodes / 8);
}

} // namespace twat::mp::detail
