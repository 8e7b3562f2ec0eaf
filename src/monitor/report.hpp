// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_REPORT_HPP
#define TWAT_MP_SRC_MONITOR_REPORT_HPP

#include <string>

#include "monitor/pool_board.hpp"

namespace twat::mp::detail {

/** All that is known of a failure, as JSON: `what`, `stack`, `details`, `replay`. Looks up names, which may take a second: not on a loop.

    @param parcels Whether the call may be downloaded: then `replay` names the file that the browser makes of it, where the pool keeps none. */
std::string report_json(const kept_failure& failure, bool parcels);
/// The name under which a call is downloaded.
std::string parcel_name(const kept_failure& failure);

} // namespace twat::mp::detail

#endif
