// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_DESCRIPTOR_HPP
#define TWAT_MP_SRC_OS_DESCRIPTOR_HPP

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace twat::mp::detail {

/** Owns a file descriptor; -1 is none. Keeps `errno` when it closes. */
class unique_descriptor
{
public:
    unique_descriptor() = default;
    explicit unique_descriptor(int fd) noexcept : fd_(fd) {}
    unique_descriptor(unique_descriptor&& other) noexcept : fd_(other.release()) {}
    unique_descriptor& operator=(unique_descriptor&& other) noexcept
    {
        reset(other.release());
        return *this;
    }
    ~unique_descriptor() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept;

private:
    int fd_ = -1;
};

// Every descriptor made here closes on exec from its birth, and is `lowest_descriptor` or more: a program that has closed its
// descriptors 0 to 2 must not get one of ours in their place, and the launcher gives 3 to 5 a meaning. On failure nothing is left
// open, `ec` says why, and what is returned is empty.
inline constexpr int lowest_descriptor = 10;

/// A second descriptor for the same thing.
unique_descriptor duplicate(int fd, boost::system::error_code& ec);

/// The same thing, at `lowest_descriptor` or above.
unique_descriptor raise(unique_descriptor fd, boost::system::error_code& ec);

struct socket_pair
{
    unique_descriptor first, second;
};

/// Two connected, blocking stream sockets. (`asio::local::connect_pair` cannot make them close on exec from their birth.)
socket_pair make_socket_pair(boost::system::error_code& ec);

/// A pipe: `first` is read, and does not block; `second` is written.
socket_pair make_pipe(boost::system::error_code& ec);

/// A non-blocking eventfd.
unique_descriptor make_event(boost::system::error_code& ec);

/// Wakes whoever waits for it.
void signal_event(int event) noexcept;

/// The size of the largest file that this process may make (RLIMIT_FSIZE). Memory to be shared counts as a file.
std::uint64_t most_file_size() noexcept;

/// The address space that this process may still take up (RLIMIT_AS).
std::uint64_t free_address_space() noexcept;

/// Zeroed memory of `size` bytes to be shared, which neither side can shrink (the other would die of SIGBUS) or grow. More than
/// `most_file_size` fails (the attempt alone would be answered by SIGXFSZ, which ends a program).
/// @param name To be seen in /proc.
unique_descriptor make_page(std::size_t size, boost::system::error_code& ec, const char* name = "twat-mp");

/// Whether this is such memory.
bool cannot_shrink(int page) noexcept;

/// Opens /dev/null for reading and writing.
unique_descriptor open_null(boost::system::error_code& ec);

/// Reads `errno`.
boost::system::error_code last_error() noexcept;

} // namespace twat::mp::detail

#endif
