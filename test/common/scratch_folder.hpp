// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_SCRATCH_FOLDER_HPP
#define TWAT_MP_TEST_COMMON_SCRATCH_FOLDER_HPP

#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace twat::mp::test {

/// An empty folder of this process, as long as the test runs.
struct scratch_folder
{
    explicit scratch_folder(const std::string& name)
        : path(std::filesystem::temp_directory_path() / ("twat_mp_" + name + "_" + std::to_string(::getpid())))
    {
        std::filesystem::remove_all(path);
        std::filesystem::create_directory(path);
    }
    scratch_folder(const scratch_folder&) = delete;
    ~scratch_folder() { std::filesystem::remove_all(path); }

    const std::filesystem::path path;
};

/// Arguments of tasks that note in one place that they ran: where, and which one it is.
inline std::vector<std::pair<std::string, int>> numbered_jobs(const std::string& where, int count)
{
    std::vector<std::pair<std::string, int>> made;
    for (int i = 0; i != count; ++i)
        made.emplace_back(where, i);
    return made;
}

} // namespace twat::mp::test

#endif
