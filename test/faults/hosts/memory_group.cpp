// SPDX-License-Identifier: BSL-1.0
#include "memory_group.hpp"

#include <fstream>
#include <system_error>

#include <unistd.h>

namespace twat::mp::test {
namespace {

namespace fs = std::filesystem;

bool write_to(const fs::path& file, const std::string& text)
{
    std::ofstream out(file);
    out << text << std::flush;
    return out.good();
}

/// Where the memory controller keeps this process; empty if it is nowhere to be found.
fs::path memory_group_of_this_process()
{
    std::ifstream hierarchies("/proc/self/cgroup");
    fs::path found;
    for (std::string line; std::getline(hierarchies, line);) { // "ID:CONTROLLERS:PATH"
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos)
            continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const fs::path place = fs::path(line.substr(second + 1)).relative_path();
        const fs::path mount = controllers == ",," ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
        if (controllers != ",," && controllers.find(",memory,") == std::string::npos)
            continue;
        // In a container the group may carry the host's name for it; the container's own is then the top.
        for (const fs::path& group : {mount / place, mount})
            if (fs::exists(group / "memory.limit_in_bytes") || fs::exists(group / "memory.max"))
                return group;
    }
    return found;
}

} // namespace

memory_group::memory_group(std::size_t limit_in_bytes)
{
    parent_ = memory_group_of_this_process();
    if (parent_.empty()) {
        why_not_ = "no control group of the memory controller is visible";
        return;
    }
    const fs::path group = parent_ / ("twat-mp-test-" + std::to_string(::getpid()));
    std::error_code ec;
    if (!fs::create_directory(group, ec)) {
        why_not_ = "a control group cannot be made in " + parent_.string() + ": " + ec.message();
        return;
    }
    group_ = group;
    const bool first_version = fs::exists(group / "memory.limit_in_bytes");
    const std::string limit = std::to_string(limit_in_bytes);
    if (!write_to(group / (first_version ? "memory.limit_in_bytes" : "memory.max"), limit))
        why_not_ = "the limit cannot be set in " + group.string();
    // Without it, what is beyond the limit would be swapped out instead.
    write_to(group / (first_version ? "memory.memsw.limit_in_bytes" : "memory.swap.max"), first_version ? limit : "0");
    if (why_not_.empty() && !write_to(group / "cgroup.procs", std::to_string(::getpid())))
        why_not_ = "this process cannot enter " + group.string();
}

memory_group::~memory_group()
{
    if (group_.empty())
        return;
    write_to(parent_ / "cgroup.procs", std::to_string(::getpid()));
    std::error_code ec;
    for (int tries = 0; tries != 100 && !fs::remove(group_, ec); ++tries) // until the last child was reaped
        ::usleep(20'000);
}

} // namespace twat::mp::test
