// SPDX-License-Identifier: BSL-1.0
#include "worker/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <system_error>
#include <thread>

#include "os/fork_mark.hpp"

namespace twat::mp::detail {

bool worker_connection::receive(socket_call how)
{
    leave_if_copy();
    const std::span<std::byte> space = reader_.space();
    for (;;) {
        const ssize_t n = arrived_.receive(socket_, space, how);
        if (n > 0) {
            reader_.add(static_cast<std::size_t>(n));
            return true;
        }
        if (n == 0 || errno == ECONNRESET)
            throw parent_gone();
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return false;
        if (errno != EINTR)
            throw std::system_error(errno, std::system_category(), "reading from the parent process");
    }
}

bool worker_connection::read_available() { return receive(socket_call::returns_at_once); }

void worker_connection::flush()
{
    if (!out_.empty())
        send({}, {});
}

void worker_connection::send_attached(frame_type type, std::uint64_t id, std::span<const attachment> sent)
{
    while (!sent.empty()) {
        flush();
        const auto group = sent.first(std::min(sent.size(), most_attached));
        byte_buffer whole;
        append_frame(whole, {type, 0, id, 0}, keys_of(group).bytes());
        const std::span<const std::byte> bytes = whole.bytes();
        const std::ptrdiff_t n = detail::send_attached(socket_, std::span(&bytes, 1), group, socket_call::waits);
        if (n >= 0) {
            send(whole.bytes().subspan(static_cast<std::size_t>(n)), {});
            sent = sent.subspan(group.size());
        } else if (errno == EPIPE || errno == ECONNRESET) {
            throw parent_gone();
        } else if (errno == ENOMEM || errno == ENOBUFS || errno == ETOOMANYREFS) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        } else if (errno != EINTR) {
            throw std::system_error(errno, std::system_category(), "sending descriptors to the parent process");
        }
    }
}

void worker_connection::send(std::span<const std::byte> first, std::span<const std::byte> second)
{
    leave_if_copy();
    std::span<const std::byte> parts[] = {out_.bytes(), first, second};
    for (;;) {
        std::span<const std::byte> unsent[std::size(parts)];
        std::size_t count = 0;
        for (const auto& part : parts)
            if (!part.empty())
                unsent[count++] = part;
        if (count == 0)
            break;
        const std::ptrdiff_t n = send_bytes(socket_, std::span(unsent, count), socket_call::waits);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EPIPE || errno == ECONNRESET)
                throw parent_gone();
            // passes; and if the parent goes meanwhile, the watchdog ends this process
            if (errno == ENOMEM || errno == ENOBUFS) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                continue;
            }
            throw std::system_error(errno, std::system_category(), "writing to the parent process");
        }
        auto sent = static_cast<std::size_t>(n);
        for (auto& part : parts) {
            const std::size_t of_this = std::min(sent, part.size());
            part = part.subspan(of_this);
            sent -= of_this;
        }
    }
    out_.clear();
}

} // namespace twat::mp::detail
