// SPDX-License-Identifier: BSL-1.0
#include "os/file_status.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace twat::mp::detail {
namespace {

file_status translate(const struct ::stat& from) noexcept
{
    return {.device = static_cast<std::uint64_t>(from.st_dev),
            .inode = static_cast<std::uint64_t>(from.st_ino),
            .size = static_cast<std::uint64_t>(from.st_size),
            .is_regular = S_ISREG(from.st_mode),
            .is_socket = S_ISSOCK(from.st_mode),
            .is_trusted =
                (from.st_uid == ::geteuid() || from.st_uid == 0) && (from.st_mode & (S_IWGRP | S_IWOTH)) == 0};
}

} // namespace

std::optional<file_status> status_of(int fd) noexcept
{
    struct ::stat found
    {};
    if (::fstat(fd, &found) != 0)
        return std::nullopt;
    return translate(found);
}

std::optional<file_status> status_of(const std::string& file) noexcept
{
    struct ::stat found
    {};
    if (::stat(file.c_str(), &found) != 0)
        return std::nullopt;
    return translate(found);
}

bool lock_file(int fd) noexcept { return ::flock(fd, LOCK_EX | LOCK_NB) == 0; }

} // namespace twat::mp::detail
