// SPDX-License-Identifier: BSL-1.0
#include "start/marker.hpp"

#include <atomic>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace twat::mp::detail {
namespace {

struct process_state
{
    worker_marker marker;
    std::atomic<worker_state> state{worker_state::not_a_worker};

    process_state()
    {
        const char* text = std::getenv(worker_marker_name);
        if (!text)
            return;
        if (const auto parsed = parse_marker(text)) {
            marker = *parsed;
            state = worker_state::marked;
            // Nothing that runs from here on, not even a static constructor, may hand them to a process that it starts.
            for (int fd : {worker_socket, worker_page, worker_doorbell})
                ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
        // What this process starts is not a worker of its parent's.
        ::unsetenv(worker_marker_name);
    }
};

process_state& get_process_state() noexcept
{
    // Not a plain global: another global's constructor may ask before it would be made.
    static process_state& state = *new process_state;
    return state;
}

// Reads the marker before main, where the process has one thread and nobody else has looked at the environment's copy.
[[maybe_unused]] const process_state& read_before_main = get_process_state();

} // namespace

worker_state get_worker_state() noexcept { return get_process_state().state; }

const worker_marker& get_worker_marker() noexcept { return get_process_state().marker; }

bool enter_worker_state() noexcept
{
    auto expected = worker_state::marked;
    return get_process_state().state.compare_exchange_strong(expected, worker_state::entered);
}

void exit_if_not_entered() noexcept
{
    if (get_worker_state() == worker_state::marked)
        ::_exit(not_entered_exit_code);
}

std::size_t nesting_depth() noexcept
{
    return get_worker_state() == worker_state::not_a_worker ? 0 : get_worker_marker().depth;
}

} // namespace twat::mp::detail
