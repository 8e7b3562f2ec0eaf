// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_USAGE_BILL_HPP
#define TWAT_MP_SRC_USAGE_BILL_HPP

#include <twat/mp/usage.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "usage/task_meter.hpp"

namespace twat::mp::detail {

/// What the user is told of what a worker measured, who may be another process and say anything. @param initiated When the operation was.
inline usage bill(const task_usage& measured, std::uint64_t index, std::chrono::steady_clock::time_point initiated)
{
    const auto time = [](std::int64_t nanoseconds) {
        return std::chrono::nanoseconds(std::max<std::int64_t>(0, nanoseconds));
    };
    usage used;
    used.task_index = index;
    used.user = time(measured.user);
    used.system = time(measured.system);
    used.minor_faults = measured.minor_faults;
    used.major_faults = measured.major_faults;
    used.voluntary_switches = measured.voluntary_switches;
    used.involuntary_switches = measured.involuntary_switches;
    used.peak_memory = static_cast<std::size_t>(measured.peak);
    used.memory_growth = static_cast<std::size_t>(measured.growth);
    used.bytes_in = measured.bytes_in;
    used.bytes_out = measured.bytes_out;
    const std::int64_t begun = std::max<std::int64_t>(0, measured.begun), since = initiated.time_since_epoch().count();
    used.waited = time(since < 0 ? 0 : begun - since);
    used.ran = time(measured.ran);
    return used;
}

} // namespace twat::mp::detail

#endif
