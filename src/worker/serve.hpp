// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_SERVE_HPP
#define TWAT_MP_SRC_WORKER_SERVE_HPP

#include "start/worker_marker.hpp"

namespace twat::mp::detail {

/** With what a worker begins. The watchdog runs already, and all three descriptors close on exec. */
struct worker_start
{
    worker_marker marker;
    int socket = worker_socket;     ///< Blocking, a stream.
    int page = worker_page;         ///< Not mapped yet.
    int doorbell = worker_doorbell; ///< Read by the watchdog alone; see `watchdog::on_doorbell`.
};

/// Serves calls until told to stop; returns the exit code of the process. What it throws ends the process.
int serve_worker(const worker_start& start);

} // namespace twat::mp::detail

#endif
