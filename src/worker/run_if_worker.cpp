// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/worker.hpp>

#include <cstdio>
#include <iostream>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/title.hpp"
#include "worker/marker.hpp"
#include "worker/serve.hpp"
#include "worker/watchdog.hpp"

namespace twat::mp {
namespace detail {
namespace {

bool is_socket(int fd) noexcept
{
    struct stat about;
    return ::fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

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
    } catch (...) { // A stream that throws is the program's wish, but nobody is left to catch it.
    }
    std::fflush(nullptr);
    ::_exit(code);
}

/// A noexcept frame: what escapes ends the process here, by std::terminate, and does not unwind into main.
[[noreturn]] void run_worker() noexcept
{
    const worker_start start{.marker = get_worker_marker()};
    if (!is_socket(start.socket))
        ::_exit(bad_start_exit_code);
    watchdog::start(start.socket, start.doorbell);
    ::prctl(PR_SET_NAME, make_short_name(program_name(), start.marker.index).c_str());
    leave(serve_worker(start));
}

} // namespace
} // namespace detail

void run_if_worker()
{
    if (detail::enter_worker_state())
        detail::run_worker();
}

void run_if_worker(int, char**) { run_if_worker(); }

} // namespace twat::mp
