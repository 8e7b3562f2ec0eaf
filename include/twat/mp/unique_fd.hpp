// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_UNIQUE_FD_HPP
#define TWAT_MP_UNIQUE_FD_HPP

#include <utility>

#include <twat/mp/codec.hpp>
#include <twat/mp/config.hpp>

namespace twat::mp {

namespace detail {

/// Keeps `errno`.
TWAT_MP_DECL void close_descriptor(int fd) noexcept;
/// Has a duplicate travel with what is encoded, and writes by what it is found there. Throws `mp::error` (`encode_failed`) if there is none.
TWAT_MP_DECL void write_descriptor(encoder& out, int fd);
/// The descriptor, which is the caller's now; -1: none was sent. Throws `mp::error` (`decode_failed`) if it has not arrived.
TWAT_MP_DECL int read_descriptor(decoder& in);

} // namespace detail

/** Owns a file descriptor, and closes it. An argument and a result of tasks: a file, a pipe, a socket of any kind.

    To and from worker processes it travels by `SCM_RIGHTS`: the other side gets a descriptor of its own for the same open file. What a call is given
    is its own, and is closed when its task has ended. The error of a call that fails before a worker has it (it is refused or cancelled) gives it
    back: see `reclaim`. Elements of a container that a range verb refers to stay with the caller. It can be part of other
    values (containers, aggregates), but cannot be bound by `partial`. Threads and inline pools get it as it is.

    @par Errors
    @li `errc::encode_failed`: this process can have no more descriptors (`RLIMIT_NOFILE`); it is to go to another host, or to come from there; it is a
    result of an operation with a journal.
    @li `errc::decode_failed`: the process that was to get it can have no more.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.
*/
class unique_fd
{
public:
    /// None.
    unique_fd() = default;
    /// Takes over a descriptor; -1: none.
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
    unique_fd& operator=(unique_fd&& other) noexcept
    {
        reset(other.release());
        return *this;
    }
    /// Closes the descriptor, if there is one.
    ~unique_fd() { reset(); }

    /// The descriptor, which stays owned; -1: none.
    int get() const noexcept { return fd_; }
    /// Whether there is one.
    explicit operator bool() const noexcept { return fd_ >= 0; }
    /// Gives the descriptor away, unclosed.
    int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes the descriptor, and takes over another one.
    void reset(int fd = -1) noexcept
    {
        if (const int before = std::exchange(fd_, fd); before >= 0 && before != fd)
            detail::close_descriptor(before);
    }

private:
    int fd_ = -1;
};

template <>
struct codec<unique_fd>
{
    static void encode(encoder& out, const unique_fd& value) { detail::write_descriptor(out, value.get()); }
    static unique_fd decode(decoder& in) { return unique_fd(detail::read_descriptor(in)); }
};

} // namespace twat::mp

#endif
