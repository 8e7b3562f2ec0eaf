// SPDX-License-Identifier: BSL-1.0
#include "process/child_output.hpp"

#include <array>
#include <cerrno>
#include <cstddef>

#include <unistd.h>

namespace twat::mp::detail {

void child_output::assign(unique_descriptor& pipe, boost::system::error_code& ec)
{
    pipe_.assign(pipe.get(), ec);
    if (!ec)
        pipe.release();
}

// A wait that completes for no reason (see os/readiness.hpp) costs a read that finds nothing.
void child_output::watch()
{
    pipe_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code ec) {
                         if (!ec && self->pipe_.is_open() && self->read())
                             self->watch();
                     });
}

/// Some of what is there; whether more may come at once or later.
bool child_output::read()
{
    std::array<char, 16 * 1024> bytes;
    const ssize_t n = ::read(pipe_.native_handle(), bytes.data(), bytes.size());
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    std::lock_guard lock(mutex_);
    tail_.append({bytes.data(), static_cast<std::size_t>(n)});
    return true;
}

void child_output::drain()
{
    constexpr std::size_t most_reads = 64; // A pipe holds less.
    errno = 0;
    for (std::size_t i = 0; i != most_reads && read() && errno != EAGAIN; ++i)
        errno = 0;
    boost::system::error_code ignored;
    pipe_.close(ignored);
}

std::string child_output::text() const
{
    std::lock_guard lock(mutex_);
    return tail_.text();
}

} // namespace twat::mp::detail
