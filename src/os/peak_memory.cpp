// SPDX-License-Identifier: BSL-1.0
#include "os/peak_memory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

namespace twat::mp::detail {
namespace {

/// The line VmHWM of /proc/self/status.
std::optional<std::uint64_t> read_high_water_mark() noexcept
{
    // Opened each time: a task may close descriptors that are not its own, and open others.
    const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return std::nullopt;
    char buffer[4096];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    ::close(fd);
    const std::string_view text(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
    constexpr std::string_view name = "\nVmHWM:";
    const auto line = text.find(name);
    if (line == text.npos)
        return std::nullopt;
    const auto digits = text.find_first_of("0123456789", line + name.size());
    std::uint64_t kib = 0;
    if (digits == text.npos || std::from_chars(text.data() + digits, text.data() + text.size(), kib).ec != std::errc())
        return std::nullopt;
    return kib * 1024;
}

constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();

/// What was reported when that was another's: more is the process's own.
std::atomic<std::uint64_t> inherited{unknown};

} // namespace

std::uint64_t own_peak_memory(std::uint64_t reported) noexcept
{
    if (const std::uint64_t limit = inherited.load(std::memory_order_relaxed); limit != unknown && reported > limit)
        return reported;
    const auto own = read_high_water_mark();
    // The two are counted at different moments, and each processor counts some pages for itself.
    constexpr std::uint64_t slack = std::uint64_t(4) << 20;
    if (!own || *own + slack >= reported) {
        inherited.store(0, std::memory_order_relaxed);
        return reported;
    }
    inherited.store(reported, std::memory_order_relaxed);
    return *own;
}

} // namespace twat::mp::detail
