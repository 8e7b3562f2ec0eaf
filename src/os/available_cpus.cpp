// SPDX-License-Identifier: BSL-1.0
#include "os/available_cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/cgroup.hpp"

namespace twat::mp::detail {

namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> number(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<std::string> first_line(const fs::path& file)
{
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line))
        return std::nullopt;
    return line;
}

/// Whole CPUs that `quota` microseconds in each `period` pay for; none if that is no limit.
std::optional<std::size_t> cpus(std::optional<std::int64_t> quota, std::optional<std::int64_t> period)
{
    if (!quota || !period || *quota <= 0 || *period <= 0)
        return std::nullopt;
    return static_cast<std::size_t>((*quota - 1) / *period + 1);
}

/// The limit of one group, version 2: `cpu.max` holds "QUOTA PERIOD" or "max PERIOD".
std::optional<std::size_t> limit_v2(const fs::path& group)
{
    const auto line = first_line(group / "cpu.max");
    if (!line)
        return std::nullopt;
    const auto space = line->find(' ');
    if (space == std::string::npos)
        return std::nullopt;
    const std::string_view text = *line;
    return cpus(number(text.substr(0, space)), number(text.substr(space + 1)));
}

/// The limit of one group, version 1: a quota of -1 is none.
std::optional<std::size_t> limit_v1(const fs::path& group)
{
    const auto quota = first_line(group / "cpu.cfs_quota_us");
    const auto period = first_line(group / "cpu.cfs_period_us");
    if (!quota || !period)
        return std::nullopt;
    return cpus(number(*quota), number(*period));
}

/** The smallest limit from a group up to the top of the hierarchy mounted at `mount`. */
template <class Limit>
std::size_t walk_up(const fs::path& mount, fs::path group, Limit limit, std::size_t smallest)
{
    for (;;) {
        if (const auto found = limit(mount / group))
            smallest = std::min(smallest, *found);
        if (group.empty())
            return smallest;
        group = group.has_filename() ? group.parent_path() : group.parent_path().parent_path();
    }
}

std::size_t affinity_of_this_process()
{
    // The kernel refuses a mask smaller than its own; no machine has as many CPUs as the last of these.
    for (std::size_t cpus = CPU_SETSIZE; cpus <= (std::size_t(1) << 20); cpus *= 2) {
        std::vector<cpu_set_t> mask(cpus / CPU_SETSIZE);
        const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
        if (::sched_getaffinity(0, bytes, mask.data()) == 0)
            return static_cast<std::size_t>(CPU_COUNT_S(bytes, mask.data()));
        if (errno != EINVAL)
            break;
    }
    return std::thread::hardware_concurrency();
}

} // namespace

std::size_t available_cpus() { return available_cpus("/", affinity_of_this_process()); }

std::size_t available_cpus(const fs::path& root, std::size_t affinity)
{
    std::size_t smallest = affinity;
    const fs::path mounts = root / "sys/fs/cgroup";

    for (const cgroup_place& place : cgroups_of_this_process(root)) {
        if (place.controllers.empty()) {
            smallest = walk_up(mounts, place.group, limit_v2, smallest);
            // where both versions are mounted
            smallest = walk_up(mounts / "unified", place.group, limit_v2, smallest);
        } else if (place.has("cpu")) {
            smallest = walk_up(mounts / "cpu", place.group, limit_v1, smallest);
            if (place.controllers != "cpu")
                smallest = walk_up(mounts / place.controllers, place.group, limit_v1, smallest);
        }
    }
    return std::max<std::size_t>(smallest, 1);
}

} // namespace twat::mp::detail
