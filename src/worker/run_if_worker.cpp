// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/worker.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "os/file_status.hpp"
#include "os/own_process.hpp"
#include "start/title.hpp"
#include "start/marker.hpp"
#include "worker/crash_report.hpp"
#include "worker/replay.hpp"
#include "worker/serve.hpp"
#include "worker/watchdog.hpp"

namespace twat::mp {
namespace detail {
namespace {

/// Ends the process without the destructors of globals and without `atexit`: those belong to the program proper, which has one
/// life, while each of its workers would remove the same lock file or send the same goodbye. A worker's own end is the
/// pool's finalizer. What was written to streams is not lost.
[[noreturn]] void leave(int code) noexcept
{
    try {
        std::cout.flush();
        std::clog.flush();
        std::wcout.flush();
        std::wclog.flush();
    }
    catch (...) { // A stream that throws is the program's wish, but nobody is left to catch it.
    }
    std::fflush(nullptr);
    ::_exit(code);
}

/// A noexcept frame: what escapes ends the process here, by std::terminate, and does not unwind into main.
[[noreturn]] void run_worker() noexcept
{
    const worker_start start{.marker = get_worker_marker()};
    if (const auto status = status_of(start.socket); !status || !status->is_socket)
        ::_exit(bad_start_exit_code);
    watchdog::start(start.socket, start.doorbell);
    crash_report::install(start.page);
    offer_to_out_of_memory_killer();
    name_this_thread(make_short_name(program_name(), start.marker.index).c_str());
    leave(serve_worker(start));
}

/// Not where the program has more rights than whoever started it.
void replay_if_asked(const std::vector<std::string>& arguments)
{
    const std::optional<replay_request> request = find_replay(arguments);
    if (!request || has_extra_rights())
        return;
    const int code = run_replay(*request);
    std::fflush(nullptr);
    std::exit(code);
}

} // namespace
} // namespace detail

void run_if_worker()
{
    if (detail::enter_worker_state())
        detail::run_worker();
    detail::replay_if_asked(detail::own_arguments());
}

void run_if_worker(int argc, char** argv)
{
    if (detail::enter_worker_state())
        detail::run_worker();
    detail::replay_if_asked(std::vector<std::string>(argv + std::min(argc, 1), argv + std::max(argc, 0)));
}

} // namespace twat::mp
