// SPDX-License-Identifier: BSL-1.0
#include "os/own_process.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace twat::mp::detail {
namespace {

std::string link_target(const char* link)
{
    std::error_code ignored;
    return std::filesystem::read_symlink(link, ignored).string();
}

} // namespace

std::string own_executable() { return link_target("/proc/self/exe"); }

std::string own_directory() { return link_target("/proc/self/cwd"); }

std::vector<std::string> own_arguments()
{
    std::vector<std::string> found;
    std::ifstream line("/proc/self/cmdline", std::ios::binary);
    for (std::string word; std::getline(line, word, '\0');)
        found.push_back(std::move(word));
    if (!found.empty())
        found.erase(found.begin());
    return found;
}

std::vector<std::string> first_environment(std::size_t most_bytes)
{
    std::vector<std::string> found;
    std::ifstream from("/proc/self/environ", std::ios::binary);
    std::size_t size = 0;
    for (std::string entry; std::getline(from, entry, '\0') && (size += entry.size()) < most_bytes;)
        found.push_back(std::move(entry));
    return found;
}

bool has_extra_rights() noexcept { return ::getauxval(AT_SECURE) != 0; }

void offer_to_out_of_memory_killer() noexcept
{
    constexpr int step = 300, highest = 1000;
    const int fd = ::open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    char text[16] = {};
    int score = 0;
    if (const ssize_t n = ::read(fd, text, sizeof text);
        n > 0 && std::from_chars(text, text + n, score).ec == std::errc()) {
        const auto end = std::to_chars(text, text + sizeof text, std::min(score + step, highest)).ptr;
        [[maybe_unused]] const ssize_t written = ::pwrite(fd, text, static_cast<std::size_t>(end - text), 0);
    }
    ::close(fd);
}

void name_this_thread(const char* name) noexcept { ::prctl(PR_SET_NAME, name); }

bool is_stopped(int process) noexcept
{
    char path[32], text[256];
    std::snprintf(path, sizeof path, "/proc/%d/stat", process);
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    text[n < 0 ? 0 : n] = 0;
    const char* const behind_name = std::strrchr(text, ')'); // then: " T 4711 ..."
    return behind_name && std::strncmp(behind_name, ") T ", 4) == 0;
}

} // namespace twat::mp::detail
