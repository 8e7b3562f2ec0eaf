// SPDX-License-Identifier: BSL-1.0
#include "os/run_time.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace twat::mp::detail {
namespace {

class small_file
{
public:
    small_file(int pid, const char* what) noexcept
    {
        char name[40];
        std::snprintf(name, sizeof name, "/proc/%d/%s", pid, what);
        const int fd = ::open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return;
        if (const ssize_t n = ::read(fd, bytes_.data(), bytes_.size()); n > 0)
            size_ = static_cast<std::size_t>(n);
        ::close(fd);
    }

    std::string_view text() const noexcept { return {bytes_.data(), size_}; }

private:
    std::array<char, 256> bytes_;
    std::size_t size_ = 0;
};

bool sleeps(int pid) noexcept
{
    const small_file file(pid, "stat"); // "pid (name) state ..."
    const std::size_t name_end = file.text().rfind(')');
    if (name_end == std::string_view::npos || file.text().size() < name_end + 3)
        return false;
    const char state = file.text()[name_end + 2];
    return state == 'S' || state == 'D';
}

} // namespace

std::optional<std::chrono::nanoseconds> run_time_of_sleeper(int pid) noexcept
{
    if (!sleeps(pid))
        return std::nullopt;
    // "on CPU, waiting for one, time slices"; of one that waits for a CPU the second comes late
    const small_file file(pid, "schedstat");
    const char* const end = file.text().data() + file.text().size();
    std::int64_t on_cpu = 0, waiting = 0;
    const auto first = std::from_chars(file.text().data(), end, on_cpu);
    if (first.ec != std::errc() || first.ptr == end || std::from_chars(first.ptr + 1, end, waiting).ec != std::errc())
        return std::nullopt;
    return std::chrono::nanoseconds(on_cpu + waiting);
}

} // namespace twat::mp::detail
