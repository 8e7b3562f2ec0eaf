// SPDX-License-Identifier: BSL-1.0
#include "os/oom_watch.hpp"

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "os/cgroup.hpp"

namespace twat::mp::detail {
namespace {

namespace fs = std::filesystem;

/// From a file of lines "NAME NUMBER".
std::optional<std::uint64_t> field(const fs::path& file, std::string_view wanted)
{
    std::ifstream in(file);
    std::string name;
    for (std::uint64_t value; in >> name >> value;)
        if (name == wanted)
            return value;
    return std::nullopt;
}

} // namespace

std::optional<std::uint64_t> count_oom_kills(const fs::path& root)
{
    const fs::path mounts = root / "sys/fs/cgroup";
    for (const auto& place : cgroups_of_this_process(root)) {
        std::vector<fs::path> files;
        if (place.controllers.empty())
            files = {mounts / place.group / "memory.events", mounts / "unified" / place.group / "memory.events",
                     mounts / "memory.events"};
        else if (place.has("memory"))
            files = {mounts / "memory" / place.group / "memory.oom_control", mounts / "memory" / "memory.oom_control"};
        for (const fs::path& file : files)
            if (const auto count = field(file, "oom_kill"))
                return count;
    }
    return field(root / "proc/vmstat", "oom_kill");
}

void oom_watch::child_starts()
{
    constexpr auto just_before = std::chrono::seconds(1); // which is also how often, at most, it is worth a look
    std::lock_guard lock(mutex_);
    const auto now = clock::now();
    if (accounted_ && (now - last_kill_ < just_before || now - last_look_ < just_before))
        return;
    last_look_ = now;
    accounted_ = count_oom_kills(root_);
}

memory_verdict oom_watch::child_was_killed()
{
    std::lock_guard lock(mutex_);
    last_kill_ = clock::now();
    const auto count = count_oom_kills(root_);
    if (!count || !accounted_)
        return memory_verdict::unknown;
    if (*count <= *accounted_)
        return memory_verdict::unlikely;
    ++*accounted_;
    return memory_verdict::likely;
}

} // namespace twat::mp::detail
