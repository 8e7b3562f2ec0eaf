// SPDX-License-Identifier: BSL-1.0
#include "start/attachments.hpp"

#include <boost/asio/system_executor.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <string>
#include <system_error>
#include <unordered_set>

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
                    "a descriptor travels only as an argument or a result of a task on the same machine; it is not "
                    "bound to a function, and not kept in a journal");
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

attachment_inbox& attachment_inbox::of_chunks()
{
    static attachment_inbox& inbox = make<&attachment_inbox::of_chunks>();
    return inbox;
}

attachment_inbox& attachment_inbox::of_results()
{
    static attachment_inbox& inbox = make<&attachment_inbox::of_results>();
    return inbox;
}

// A fork in one thread while another holds the mutex would leave it locked in the child for ever.
template <attachment_inbox& (*instance)()>
attachment_inbox& attachment_inbox::make()
{
    attachment_inbox& made = *new attachment_inbox;
    ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                     [] { instance().mutex_.unlock(); });
    return made;
}

void attachment_inbox::put(std::uint64_t owner, std::uint64_t key, unique_fd fd)
{
    if (!fd)
        return; // it is missed when it is decoded
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
    for (const attachment& each : sent) {
        if (each.is_memory)
            continue; // this process has it
        if (const int copy = ::fcntl(*each.fd, F_DUPFD_CLOEXEC, lowest_duplicate); copy >= 0)
            attachment_inbox::of_chunks().put(owner, each.key, unique_fd(copy));
    }
}

std::ptrdiff_t attachment_groups::receive(int socket, std::span<std::byte> to, socket_call how)
{
    const received_bytes received = receive_bytes(socket, to, how);
    if (received.has_descriptors) {
        groups_.emplace_back(received.descriptors.begin(), received.descriptors.end());
    }
    return received.size;
}

std::vector<unique_fd> attachment_groups::take()
{
    std::vector<unique_fd> group;
    if (!groups_.empty()) {
        group = std::move(groups_.front());
        groups_.erase(groups_.begin());
    }
    return group;
}

attachments descriptors_of(std::span<const attachment> sent)
{
    attachments found;
    std::ranges::copy_if(sent, std::back_inserter(found), [](const attachment& each) { return !each.is_memory; });
    return found;
}

attachments memory_of(std::span<const attachment> sent)
{
    attachments found;
    std::unordered_set<std::uint64_t> keys;
    for (const attachment& each : sent) // neighbours often have the same one
        if (each.is_memory && (found.empty() || found.back().key != each.key) && keys.insert(each.key).second)
            found.push_back(each);
    return found;
}

std::ptrdiff_t send_attached(int socket, std::span<const std::span<const std::byte>> ranges,
                             std::span<const attachment> sent, socket_call how) noexcept
{
    int descriptors[most_attached];
    for (std::size_t i = 0; i < sent.size(); ++i)
        descriptors[i] = *sent[i].fd;
    return send_descriptors(socket, ranges, std::span(descriptors, sent.size()), how);
}

byte_buffer keys_of(std::span<const attachment> sent)
{
    byte_buffer keys;
    for (const attachment& each : sent)
        keys.append(&each.key, sizeof each.key);
    return keys;
}

} // namespace twat::mp::detail
