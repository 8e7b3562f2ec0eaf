// SPDX-License-Identifier: BSL-1.0
#include "os/readiness.hpp"

#include <sys/epoll.h>

namespace twat::mp::detail {

unique_descriptor make_readiness(int fd, std::uint32_t events, boost::system::error_code& ec)
{
    unique_descriptor made(::epoll_create1(EPOLL_CLOEXEC));
    if (!made) {
        ec = last_error();
        return {};
    }
    ::epoll_event wanted{};
    wanted.events = events;
    if (::epoll_ctl(made.get(), EPOLL_CTL_ADD, fd, &wanted) != 0) {
        ec = last_error();
        return {};
    }
    return raise(std::move(made), ec);
}

bool is_ready(int readiness) noexcept
{
    ::epoll_event event{};
    return ::epoll_wait(readiness, &event, 1, 0) > 0;
}

} // namespace twat::mp::detail
