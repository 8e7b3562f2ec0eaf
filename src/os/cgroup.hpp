// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_CGROUP_HPP
#define TWAT_MP_SRC_OS_CGROUP_HPP

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twat::mp::detail {

/// The group that this process is in, in one hierarchy of control groups.
struct cgroup_place
{
    std::string controllers; ///< Separated by commas; empty for version 2, which has all in one hierarchy.
    /// Below where the hierarchy is mounted. In a container it may be the host's name for the group, which does not exist here; the
    /// container's own group is then the top.
    std::filesystem::path group;

    bool has(std::string_view controller) const
    {
        return ("," + controllers + ",").find("," + std::string(controller) + ",") != std::string::npos;
    }
};

/// From `/proc/self/cgroup`, see cgroups(7). @param root Where `/proc` is.
std::vector<cgroup_place> cgroups_of_this_process(const std::filesystem::path& root);

} // namespace twat::mp::detail

#endif
