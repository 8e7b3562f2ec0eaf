// SPDX-License-Identifier: BSL-1.0
#include "process/worker_channel.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace twat::mp::detail {
namespace {

/// Sent in one turn, so that a worker that reads as fast as it is written to does not hold up the loop.
constexpr std::size_t most_sent = std::size_t(2) << 20;

} // namespace

byte_buffer& worker_channel::tail()
{
    if (parts_.empty() || parts_.back().owner || !parts_.back().along.empty() || parts_.back().own.size() > 64 * 1024)
        parts_.emplace_back();
    return parts_.back().own;
}

void worker_channel::queue_reference(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
{
    if (bytes.empty())
        return;
    part added;
    added.bytes = bytes;
    added.owner = std::move(owner);
    parts_.push_back(std::move(added));
}

void worker_channel::queue_attached(frame_header header, std::span<const attachment> sent)
{
    while (!sent.empty()) {
        const auto group = sent.first(std::min(sent.size(), most_attached));
        part added;
        append_frame(added.own, header, keys_of(group).bytes());
        added.along.assign(group.begin(), group.end());
        parts_.push_back(std::move(added));
        sent = sent.subspan(group.size());
    }
}

worker_channel::progress worker_channel::send()
{
    std::size_t total = 0;
    while (!parts_.empty()) {
        if (total >= most_sent)
            return progress::blocked; // as good as: its room is waited for
        std::span<const std::byte> unsent[most_ranges_sent];
        std::size_t count = 0;
        for (const part& p : parts_) {
            if (count == most_ranges_sent || (count != 0 && !p.along.empty()))
                break;
            unsent[count++] = p.unsent();
        }
        attachments& along = parts_.front().along;
        const std::span ranges(unsent, count);
        const std::ptrdiff_t n = along.empty() ? send_bytes(socket_, ranges, socket_call::returns_at_once)
                                               : send_attached(socket_, ranges, along, socket_call::returns_at_once);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS)
                return progress::blocked;
            return progress::closed;
        }
        along.clear();
        auto sent = static_cast<std::size_t>(n);
        total += sent;
        while (!parts_.empty()) {
            part& first = parts_.front();
            const std::size_t left = first.unsent().size();
            if (sent < left) {
                first.sent += sent;
                break;
            }
            sent -= left;
            parts_.pop_front();
        }
    }
    return progress::done;
}

worker_channel::progress worker_channel::receive(std::size_t most)
{
    for (std::size_t total = 0; total < most;) {
        const std::span<std::byte> space = reader_.space();
        const std::size_t wanted = std::min(space.size(), most);
        const ssize_t n = arrived_.receive(socket_, space.first(wanted), socket_call::returns_at_once);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN || errno == EWOULDBLOCK ? progress::done : progress::closed;
        }
        if (n == 0)
            return progress::closed;
        reader_.add(static_cast<std::size_t>(n));
        if (static_cast<std::size_t>(n) < wanted)
            return progress::done; // the socket is empty, most likely
        total += static_cast<std::size_t>(n);
        if (reader_.has_frame())
            return progress::more; // it must be taken before there is more space
    }
    return progress::more;
}

} // namespace twat::mp::detail
