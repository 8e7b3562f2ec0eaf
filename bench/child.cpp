// SPDX-License-Identifier: BSL-1.0
#include "child.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace bench {

void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

void descriptor::close() noexcept
{
    if (fd_ >= 0)
        ::close(std::exchange(fd_, -1));
}

socket_pair::socket_pair()
{
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        fail("socketpair");
    here = descriptor(fds[0]);
    there = descriptor(fds[1]);
}

void write_all(int fd, const void* data, std::size_t size)
{
    auto at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(fd, at, size);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            fail("write");
        }
        at += written;
        size -= static_cast<std::size_t>(written);
    }
}

bool read_all(int fd, void* data, std::size_t size)
{
    auto at = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t got = ::read(fd, at, size);
        if (got == 0)
            return false;
        if (got < 0) {
            if (errno == EINTR)
                continue;
            fail("read");
        }
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

forked_child::forked_child(const std::function<void()>& run) : pid_(::fork())
{
    if (pid_ < 0)
        fail("fork");
    if (pid_ > 0)
        return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = 0;
    try {
        run();
    }
    catch (...) {
        status = 1;
    }
    std::_Exit(status);
}

void forked_child::reap() noexcept
{
    if (pid_ > 0)
        ::waitpid(std::exchange(pid_, 0), nullptr, 0);
}

void forked_child::kill() noexcept
{
    if (pid_ > 0)
        ::kill(pid_, SIGKILL);
    reap();
}

void* shared_memory(std::size_t bytes)
{
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        fail("mmap");
    return at;
}

} // namespace bench
