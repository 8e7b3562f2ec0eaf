// SPDX-License-Identifier: BSL-1.0
#include "os/memory_use.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace twat::mp::detail {

namespace {

std::optional<memory_use> read_statm(const char* path) noexcept
{
    // Opened each time: a task may close descriptors that are not its own, and open others.
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return std::nullopt;
    char text[128];
    const ssize_t n = ::read(fd, text, sizeof text);
    ::close(fd);
    if (n <= 0)
        return std::nullopt;
    std::array<std::uint64_t, 3> pages{}; // "total resident shared ..."
    const char* at = text;
    for (std::uint64_t& count : pages) {
        const auto [next, error] = std::from_chars(at, text + n, count);
        if (error != std::errc())
            return std::nullopt;
        at = std::min<const char*>(next + 1, text + n);
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return memory_use{pages[0] * page, pages[1] * page, pages[2] * page};
}

} // namespace

std::optional<memory_use> read_memory_use() noexcept { return read_statm("/proc/self/statm"); }

std::uint64_t read_resident_size(int pid) noexcept
{
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/statm", pid);
    const auto use = read_statm(path);
    return use ? use->resident : 0;
}

} // namespace twat::mp::detail
