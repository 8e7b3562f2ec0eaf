// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/sockets.hpp>

#include <twat/mp/error.hpp>

#include <sys/socket.h>

// Another system would have to ask getsockname: SO_DOMAIN is Linux's and FreeBSD's.
namespace twat::mp::detail {

int socket_family(int fd)
{
    int family = 0;
    ::socklen_t size = sizeof family;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
        throw error(errc::decode_failed, "a socket was expected, but the descriptor that arrived is not one");
    return family;
}

bool is_ipv6(int family) noexcept { return family == AF_INET6; }

} // namespace twat::mp::detail
