// SPDX-License-Identifier: BSL-1.0
#include "os/cgroup.hpp"

#include <fstream>

namespace twat::mp::detail {

std::vector<cgroup_place> cgroups_of_this_process(const std::filesystem::path& root)
{
    std::vector<cgroup_place> places;
    std::ifstream hierarchies(root / "proc/self/cgroup");
    // One line for each hierarchy: "ID:CONTROLLERS:PATH". Version 2 is "0::PATH".
    for (std::string line; std::getline(hierarchies, line);) {
        const auto first = line.find(':');
        const auto second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos)
            continue;
        // A group outside of the namespace is shown as /../..: normalised, that is the top.
        places.push_back({line.substr(first + 1, second - first - 1),
                          std::filesystem::path(line.substr(second + 1)).lexically_normal().relative_path()});
    }
    return places;
}

} // namespace twat::mp::detail
