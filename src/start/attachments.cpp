// SPDX-License-Identifier: BSL-1.0
#include "start/attachments.hpp"

#include <boost/asio/system_executor.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include <twat/mp/error.hpp>
#include <twat/mp/sockets.hpp>
#include <twat/mp/worker.hpp>

namespace twat::mp::detail {
namespace {

constexpr int lowest_duplicate = 10; // 0 to 2 are the program's, and 3 to 5 a worker's
constexpr std::uint64_t no_key = 0;

std::uint64_t new_key() noexcept
{
    static std::atomic<std::uint32_t> last{0};
    return std::uint64_t(static_cast<std::uint32_t>(::getpid())) << 32 | (++last & 0xffff'ffffu);
}

union control
{
    ::cmsghdr aligned;
    char space[CMSG_SPACE(most_attached * sizeof(int))];
};

void take_descriptors(::msghdr& message, std::vector<unique_fd>& into)
{
    for (::cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
            into.emplace_back(fd);
        }
    }
}

} // namespace

void close_descriptor(int fd) noexcept
{
    const int before = errno;
    ::close(fd);
    errno = before;
}

void write_descriptor(encoder& out, int fd)
{
    if (fd < 0)
        return out.write(no_key);
    attachments* const sent = out.attach();
    if (!sent)
        throw error(errc::encode_failed,
                    "a descriptor travels only as an argument or a result of a task, and is not bound to a function");
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest_duplicate);
    if (copy < 0) {
        const std::error_code why(errno, std::system_category());
        throw error(errc::encode_failed, "descriptor " + std::to_string(fd) + " cannot be sent: " + why.message() +
                                             (errno == EMFILE ? " (RLIMIT_NOFILE of this process)" : ""));
    }
    unique_fd owned(copy);
    sent->push_back({out.size(), new_key(), std::shared_ptr<const int>(new int(copy), [](const int* held) {
                         close_descriptor(*held);
                         delete held;
                     })});
    owned.release();
    out.write(sent->back().key);
}

int read_descriptor(decoder& in)
{
    const auto key = in.read<std::uint64_t>();
    if (key == no_key)
        return -1;
    unique_fd found = attachment_inbox::of_chunks().take(key);
    if (!found)
        found = attachment_inbox::of_results().take(key);
    if (!found)
        throw error(errc::decode_failed, "a descriptor has not arrived: this process can have no more of them "
                                         "(RLIMIT_NOFILE), or it was taken before");
    return found.release();
}

asio::any_io_executor executor_for_decoded()
{
    if (decoding_scope::current)
        return decoding_scope::current->get_inner_executor();
    if (this_worker::is_worker())
        return this_worker::executor();
    return asio::system_executor(); // a large result, decoded apart
}

int socket_family(int fd)
{
    int family = 0;
    ::socklen_t size = sizeof family;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
        throw error(errc::decode_failed, "a descriptor that came as a socket is none");
    return family;
}

bool is_ipv6(int family) noexcept { return family == AF_INET6; }

attachment_inbox& attachment_inbox::of_chunks()
{
    static attachment_inbox& inbox = *new attachment_inbox;
    return inbox;
}

attachment_inbox& attachment_inbox::of_results()
{
    static attachment_inbox& inbox = *new attachment_inbox;
    return inbox;
}

void attachment_inbox::put(std::uint64_t owner, std::uint64_t key, unique_fd fd)
{
    std::lock_guard lock(mutex_);
    by_owner_.emplace(owner, std::pair(key, std::move(fd)));
    count_ = by_owner_.size();
}

unique_fd attachment_inbox::take(std::uint64_t key)
{
    std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(by_owner_, [key](const auto& entry) { return entry.second.first == key; });
    if (found == by_owner_.end())
        return {};
    unique_fd fd = std::move(found->second.second);
    by_owner_.erase(found);
    count_ = by_owner_.size();
    return fd;
}

void attachment_inbox::drop(std::uint64_t owner) noexcept
{
    if (count_.load(std::memory_order_relaxed) == 0)
        return;
    std::lock_guard lock(mutex_);
    by_owner_.erase(owner);
    count_ = by_owner_.size();
}

void deliver_here(std::uint64_t owner, const attachments& sent)
{
    for (const attachment& each : sent)
        if (const int copy = ::fcntl(*each.fd, F_DUPFD_CLOEXEC, lowest_duplicate); copy >= 0)
            attachment_inbox::of_chunks().put(owner, each.key, unique_fd(copy));
}

std::ptrdiff_t attachment_groups::receive(int socket, std::span<std::byte> to, int flags)
{
    control room;
    ::iovec vector{to.data(), to.size()};
    ::msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = room.space;
    message.msg_controllen = sizeof room.space;
    const ssize_t n = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (n > 0 && (message.msg_controllen != 0 || (message.msg_flags & MSG_CTRUNC) != 0)) {
        std::vector<unique_fd> group;
        take_descriptors(message, group);
        groups_.push_back(std::move(group));
    }
    return n;
}

void attachment_groups::name(std::span<const std::byte> keys, attachment_inbox& inbox, std::uint64_t owner)
{
    if (groups_.empty())
        return;
    std::vector<unique_fd> group = std::move(groups_.front());
    groups_.erase(groups_.begin());
    for (unique_fd& fd : group) {
        if (keys.size() < sizeof(std::uint64_t))
            return;
        std::uint64_t key;
        std::memcpy(&key, keys.data(), sizeof key);
        keys = keys.subspan(sizeof key);
        inbox.put(owner, key, std::move(fd));
    }
}

std::ptrdiff_t send_attached(int socket, std::span<const std::byte> bytes, std::span<const attachment> sent,
                             int flags) noexcept
{
    control room;
    ::iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
    ::msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = room.space;
    message.msg_controllen = CMSG_SPACE(sent.size() * sizeof(int));
    ::cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sent.size() * sizeof(int));
    for (std::size_t i = 0; i < sent.size(); ++i)
        std::memcpy(CMSG_DATA(part) + i * sizeof(int), sent[i].fd.get(), sizeof(int));
    return ::sendmsg(socket, &message, flags);
}

byte_buffer keys_of(std::span<const attachment> sent)
{
    byte_buffer keys;
    for (const attachment& each : sent)
        keys.append(&each.key, sizeof each.key);
    return keys;
}

} // namespace twat::mp::detail
