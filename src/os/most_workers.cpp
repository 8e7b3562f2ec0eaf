// SPDX-License-Identifier: BSL-1.0
#include "os/most_workers.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace twat::mp::detail {
namespace {

std::size_t read_number(const char* path, std::size_t otherwise)
{
    std::ifstream file(path);
    std::size_t value;
    return file >> value ? value : otherwise;
}

} // namespace

std::size_t most_workers(std::size_t descriptors)
{
    constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
    std::size_t most =
        std::min(read_number("/proc/sys/kernel/pid_max", none), read_number("/proc/sys/kernel/threads-max", none));
    rlimit limit{};
    if (descriptors != 0 && ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        most = std::min<std::size_t>(most, limit.rlim_cur / descriptors);
    return most;
}

} // namespace twat::mp::detail
