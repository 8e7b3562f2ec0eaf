// SPDX-License-Identifier: BSL-1.0
#include "os/socket_io.hpp"

#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace twat::mp::detail {
namespace {

union control
{
    ::cmsghdr aligned;
    char space[CMSG_SPACE(most_descriptors_sent * sizeof(int))];
};

int flag_of(socket_call how) noexcept { return how == socket_call::returns_at_once ? MSG_DONTWAIT : 0; }

::msghdr message_of(std::span<const std::span<const std::byte>> ranges, ::iovec* vectors) noexcept
{
    ::msghdr message{};
    message.msg_iov = vectors;
    for (const std::span<const std::byte>& range : ranges)
        vectors[message.msg_iovlen++] = {const_cast<std::byte*>(range.data()), range.size()};
    return message;
}

void take_descriptors(::msghdr& message, std::vector<int>& into)
{
    for (::cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t before = into.size(), count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        into.resize(before + count);
        std::memcpy(into.data() + before, CMSG_DATA(part), count * sizeof(int));
    }
}

} // namespace

std::ptrdiff_t send_bytes(int socket, std::span<const std::span<const std::byte>> ranges, socket_call how) noexcept
{
    ::iovec vectors[most_ranges_sent];
    ::msghdr message = message_of(ranges, vectors);
    return ::sendmsg(socket, &message, MSG_NOSIGNAL | flag_of(how));
}

std::ptrdiff_t send_descriptors(int socket, std::span<const std::span<const std::byte>> ranges,
                                std::span<const int> descriptors, socket_call how) noexcept
{
    control room;
    ::iovec vectors[most_ranges_sent];
    ::msghdr message = message_of(ranges, vectors);
    message.msg_control = room.space;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    ::cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
    return ::sendmsg(socket, &message, MSG_NOSIGNAL | flag_of(how));
}

received_bytes receive_bytes(int socket, std::span<std::byte> to, socket_call how)
{
    control room;
    ::iovec vector{to.data(), to.size()};
    ::msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = room.space;
    message.msg_controllen = sizeof room.space;
    received_bytes received;
    received.size = ::recvmsg(socket, &message, flag_of(how) | MSG_CMSG_CLOEXEC);
    if (received.size > 0 && (message.msg_controllen != 0 || (message.msg_flags & MSG_CTRUNC) != 0)) {
        received.has_descriptors = true;
        take_descriptors(message, received.descriptors);
    }
    return received;
}

} // namespace twat::mp::detail
