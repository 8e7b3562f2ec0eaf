// SPDX-License-Identifier: BSL-1.0
#include "worker/serve.hpp"

#include "worker/server.hpp"
#include "worker/watchdog.hpp"

namespace twat::mp::detail {

int serve_worker(const worker_start& start)
{
    // Never destroyed: the watchdog may still be in it, and what tasks left on its context is nobody's any more.
    auto& server = *new worker_server(start.socket, start.page, start.marker.nonce);
    watchdog::on_doorbell([&server] { server.look_at_stop_requests(); });
    server.run();
    return 0;
}

} // namespace twat::mp::detail
