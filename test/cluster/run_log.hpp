// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_CLUSTER_RUN_LOG_HPP
#define TWAT_MP_TEST_CLUSTER_RUN_LOG_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace twat::mp::test {

/// A file in which each task leaves a line when it begins: what ran, and how often, whoever ran it.
class run_log
{
public:
    run_log()
        : path_(std::filesystem::temp_directory_path() /
                ("twat-mp-runs-" + std::to_string(::getpid()) + "-" + std::to_string(count()++)))
    {
        std::filesystem::remove(path_);
    }
    ~run_log() { std::filesystem::remove(path_); }

    std::string path() const { return path_.string(); }
    static void note(const std::string& path, int task)
    {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const std::string line = std::to_string(task) + "\n";
        [[maybe_unused]] const auto n = ::write(fd, line.data(), line.size());
        ::close(fd);
    }
    std::vector<int> runs() const
    {
        std::vector<int> all;
        std::ifstream in(path_);
        for (int task; in >> task;)
            all.push_back(task);
        return all;
    }

private:
    static int& count()
    {
        static int n = 0;
        return n;
    }

    std::filesystem::path path_;
};

inline std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

/// How often that ran which ran most often.
inline std::size_t most_often(std::vector<int> runs)
{
    std::sort(runs.begin(), runs.end());
    std::size_t most = 0, now = 0;
    for (std::size_t i = 0; i != runs.size(); ++i) {
        now = i != 0 && runs[i] == runs[i - 1] ? now + 1 : 1;
        most = std::max(most, now);
    }
    return most;
}

inline auto since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

} // namespace twat::mp::test

#endif
