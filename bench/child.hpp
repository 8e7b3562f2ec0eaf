// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_CHILD_HPP
#define TWAT_MP_BENCH_CHILD_HPP

#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include <sys/types.h>

/// Bare means of the system for the floors: descriptors, pairs of sockets, forked children, shared memory.
namespace bench {

/// Throws `std::system_error` with `errno` and what was tried.
[[noreturn]] void fail(const std::string& what);

/// Owns a descriptor.
class descriptor
{
public:
    descriptor() = default;
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { close(); }

    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    void close() noexcept;

private:
    int fd_ = -1;
};

/// Two connected stream sockets, closed on exec.
struct socket_pair
{
    socket_pair();
    descriptor here, there;
};

/// Writes or reads all of it, blocking. `read_all` returns false at the end of the stream.
void write_all(int fd, const void* data, std::size_t size);
bool read_all(int fd, void* data, std::size_t size);

/** A forked copy of this process that runs a function and exits. It is reaped by the destructor, which waits for it.

    What makes it end (a closed socket, say) must happen first.
*/
class forked_child
{
public:
    explicit forked_child(const std::function<void()>& run);
    forked_child(forked_child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
    forked_child& operator=(forked_child&&) = delete;
    ~forked_child() { reap(); }

    void reap() noexcept;
    /// Kills it and reaps it.
    void kill() noexcept;

private:
    pid_t pid_ = 0;
};

/// Zeroed memory that forked children share; never given back.
void* shared_memory(std::size_t bytes);

template <class T>
T* shared_array(std::size_t count)
{
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(shared_memory(count * sizeof(T)));
}

} // namespace bench

#endif
