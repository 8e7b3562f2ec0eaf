// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/worker.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "start/title.hpp"
#include "start/marker.hpp"
#include "worker/crash_report.hpp"
#include "worker/replay.hpp"
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
    }
    catch (...) { // A stream that throws is the program's wish, but nobody is left to catch it.
    }
    std::fflush(nullptr);
    ::_exit(code);
}

/// When memory runs out the system ends the process with the highest score: rather a worker than the program, which can tell of it.
void raise_oom_score() noexcept
{
    constexpr int step = 300, highest = 1000;
    const int fd = ::open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    char text[16] = {};
    int score = 0;
    if (const ssize_t n = ::read(fd, text, sizeof text);
        n > 0 && std::from_chars(text, text + n, score).ec == std::errc()) {
        const auto end = std::to_chars(text, text + sizeof text, std::min(score + step, highest)).ptr;
        [[maybe_unused]] const ssize_t written = ::pwrite(fd, text, static_cast<std::size_t>(end - text), 0);
    }
    ::close(fd);
}

/// A noexcept frame: what escapes ends the process here, by std::terminate, and does not unwind into main.
[[noreturn]] void run_worker() noexcept
{
    const worker_start start{.marker = get_worker_marker()};
    if (!is_socket(start.socket))
        ::_exit(bad_start_exit_code);
    watchdog::start(start.socket, start.doorbell);
    crash_report::install(start.page);
    raise_oom_score();
    ::prctl(PR_SET_NAME, make_short_name(program_name(), start.marker.index).c_str());
    leave(serve_worker(start));
}

/// Not where the program has more rights than whoever started it.
void replay_if_asked(const std::vector<std::string>& arguments)
{
    const std::optional<replay_request> request = find_replay(arguments);
    if (!request || ::getauxval(AT_SECURE) != 0)
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
    detail::replay_if_asked(detail::program_arguments());
}

void run_if_worker(int argc, char** argv)
{
    if (detail::enter_worker_state())
        detail::run_worker();
    detail::replay_if_asked(std::vector<std::string>(argv + std::min(argc, 1), argv + std::max(argc, 0)));
}

} // namespace twat::mp
