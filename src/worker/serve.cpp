// SPDX-License-Identifier: BSL-1.0
#include "worker/serve.hpp"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "os/fork_mark.hpp"
#include "worker/server.hpp"
#include "worker/watchdog.hpp"

namespace twat::mp::detail {
namespace {

// What arguments are decoded into is freed after each task, and needed again by the next one. By default the system gets every large
// block back at once, and its pages are new each time: 64 MiB cost 30 ms to copy into old pages, and 120 ms into new ones.
void keep_memory_warm() noexcept
{
#if defined(__GLIBC__)
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20); // the most that there can be
    ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

} // namespace

int serve_worker(const worker_start& start)
{
    keep_memory_warm();
    mark_original();
    // Never destroyed: the watchdog may still be in it, and what tasks left on its context is nobody's any more.
    auto& server = *new worker_server(start.socket, start.page, start.marker.nonce);
    watchdog::on_doorbell([&server] { server.look_at_stop_requests(); });
    watchdog::pause_with_parent([&server] { return server.is_busy(); }, server.paused_word());
    server.run();
    return 0;
}

} // namespace twat::mp::detail
