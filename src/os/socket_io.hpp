// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_SOCKET_IO_HPP
#define TWAT_MP_SRC_OS_SOCKET_IO_HPP

#include <cstddef>
#include <span>
#include <vector>

namespace twat::mp::detail {

// Stream sockets between processes of one host. POSIX but for the flags of single calls: another system would have to set what they say on the
// socket (macOS: SO_NOSIGPIPE), and FD_CLOEXEC on each descriptor that arrives. None of them is answered by a signal. Each returns how many bytes
// went; -1: see `errno`.

enum class socket_call { waits, returns_at_once };

/// Descriptors that go with one call: SCM_MAX_FD of Linux.
inline constexpr std::size_t most_descriptors_sent = 253;
/// Ranges that go with one call.
inline constexpr std::size_t most_ranges_sent = 32;

/// @pre There are at most `most_ranges_sent`.
std::ptrdiff_t send_bytes(int socket, std::span<const std::span<const std::byte>> ranges, socket_call how) noexcept;

/// The descriptors go with the first byte. @pre As above; there is one, and at most `most_descriptors_sent`.
std::ptrdiff_t send_descriptors(int socket, std::span<const std::span<const std::byte>> ranges,
                                std::span<const int> descriptors, socket_call how) noexcept;

struct received_bytes
{
    std::ptrdiff_t size = 0;
    bool has_descriptors = false; ///< Some came along, or would have: this process can have no more of them.
    std::vector<int> descriptors; ///< Those that came. They are the caller's.
};

received_bytes receive_bytes(int socket, std::span<std::byte> to, socket_call how);

} // namespace twat::mp::detail

#endif
