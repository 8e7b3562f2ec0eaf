// SPDX-License-Identifier: BSL-1.0
#include "worker/memory_probe.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace twat::mp::detail {

void memory_probe::look_now(time_point now) noexcept
{
    last_ = now;
    // Opened each time: a task may close descriptors that are not its own, and open others.
    const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    char text[128];
    const ssize_t n = ::read(fd, text, sizeof text);
    ::close(fd);
    if (n <= 0)
        return;
    // "total resident shared ...", in pages. Shared are mapped files and the memory in which large values lie, which is kept for the next.
    std::array<std::uint64_t, 3> pages{};
    const char* at = text;
    for (std::uint64_t& count : pages) {
        const auto [next, error] = std::from_chars(at, text + n, count);
        if (error != std::errc())
            return;
        at = std::min<const char*>(next + 1, text + n);
    }
    const std::uint64_t own = pages[1] - std::min(pages[1], pages[2]);
    page_.resident_size().store(own * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), std::memory_order_relaxed);
}

} // namespace twat::mp::detail
