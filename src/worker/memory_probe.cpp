// SPDX-License-Identifier: BSL-1.0
#include "worker/memory_probe.hpp"

#include <charconv>
#include <cstring>

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
    // "total resident ...", in pages.
    const char* const end = text + n;
    const auto* const resident = static_cast<const char*>(std::memchr(text, ' ', static_cast<std::size_t>(n)));
    std::uint64_t pages = 0;
    if (resident && std::from_chars(resident + 1, end, pages).ec == std::errc())
        page_.resident_size().store(pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), std::memory_order_relaxed);
}

} // namespace twat::mp::detail
