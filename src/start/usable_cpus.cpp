// SPDX-License-Identifier: BSL-1.0
#include "start/usable_cpus.hpp"

#include <algorithm>

#include "os/available_cpus.hpp"
#include "start/marker.hpp"

namespace twat::mp::detail {

std::size_t usable_cpus()
{
    const std::size_t all = available_cpus();
    return get_worker_state() == worker_state::not_a_worker ? all : std::min(all, get_worker_marker().cpus);
}

} // namespace twat::mp::detail
