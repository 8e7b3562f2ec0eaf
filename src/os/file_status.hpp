// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_FILE_STATUS_HPP
#define TWAT_MP_SRC_OS_FILE_STATUS_HPP

#include <cstdint>
#include <optional>
#include <string>

namespace twat::mp::detail {

/** What the system knows of a file. POSIX; another system would have to do nothing. */
struct file_status
{
    std::uint64_t device = 0, inode = 0; ///< Together they name it.
    std::uint64_t size = 0;
    bool is_regular = false, is_socket = false;
    /// Nobody but this user and the administrator may write it.
    bool is_trusted = false;
};

/// Nothing: see `errno`.
std::optional<file_status> status_of(int fd) noexcept;
std::optional<file_status> status_of(const std::string& file) noexcept;

/// Locks a file against other openers who ask for the same, until it is closed. False: see `errno`; `EWOULDBLOCK`: it is locked.
bool lock_file(int fd) noexcept;

} // namespace twat::mp::detail

#endif
