// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_CHILD_CENSUS_HPP
#define TWAT_MP_TEST_COMMON_CHILD_CENSUS_HPP

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>

#include <dirent.h>
#include <unistd.h>

namespace twat::mp::test {

/// Open descriptors of this process.
inline std::size_t count_descriptors()
{
    std::size_t count = 0;
    DIR* folder = ::opendir("/proc/self/fd");
    while (const dirent* entry = ::readdir(folder))
        count += entry->d_name[0] != '.';
    ::closedir(folder);
    return count - 1; // without the folder's own
}

/// Children of this process, zombies among them.
inline std::size_t count_children()
{
    std::size_t count = 0;
    DIR* folder = ::opendir("/proc");
    while (const dirent* entry = ::readdir(folder)) {
        std::ifstream stat("/proc/" + std::string(entry->d_name) + "/stat");
        std::string text;
        if (!std::atoi(entry->d_name) || !std::getline(stat, text))
            continue;
        const auto behind_name = text.rfind(')'); // then: " S 4711 ..."
        if (behind_name != text.npos && std::atoi(text.c_str() + behind_name + 4) == ::getpid())
            ++count;
    }
    ::closedir(folder);
    return count;
}

} // namespace twat::mp::test

#endif
