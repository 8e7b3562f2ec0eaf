// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_CONNECTION_HPP
#define TWAT_MP_SRC_WORKER_CONNECTION_HPP

#include <cstddef>
#include <exception>
#include <optional>
#include <span>

#include <twat/mp/detail/codec/byte_buffer.hpp>

#include "os/spin_wait.hpp"
#include "start/attachments.hpp"
#include "wire/frame.hpp"

namespace twat::mp::detail {

/// The parent closed its end, or is gone. Nobody is left to tell anything.
struct parent_gone : std::exception
{
    const char* what() const noexcept override { return "the parent process is gone"; }
};

/** The worker's end of the socket. Members throw `parent_gone`, and `mp::error` for bytes that are no frames. */
class worker_connection
{
public:
    /// @param socket A blocking stream socket, which is not owned.
    explicit worker_connection(int socket) : socket_(socket) {}

    int socket() const noexcept { return socket_; }

    /// The next frame that has arrived whole; valid until something is read.
    std::optional<frame> next() { return reader_.next(); }
    bool has_frame() { return reader_.has_frame(); }

    /// Waits for something to arrive, and reads it.
    void read()
    {
        if (!spin_([this] { return read_available(); }))
            receive(socket_call::waits);
    }
    /// How long `read` looks before it sleeps.
    void set_spin(duration longest) noexcept { spin_ = spin_wait(longest); }
    /// Reads what has arrived; whether there was anything.
    bool read_available();

    /// Sends what is queued, then frames whose first bytes take descriptors along.
    void send_attached(frame_type type, std::uint64_t id, std::span<const attachment> sent);
    /// Descriptors that came along.
    attachment_groups& arrived() noexcept { return arrived_; }

    /// Queues a frame; `flush` sends all that are queued in one go.
    void queue(frame_header header, std::span<const std::byte> bytes = {}) { append_frame(out_, header, bytes); }
    void flush();
    /// Sends what is queued, then `first` and `second`, without copying them.
    void send(std::span<const std::byte> first, std::span<const std::byte> second);

private:
    bool receive(socket_call how);

    int socket_;
    frame_reader reader_{std::uint64_t(1) << 46}; // the parent is trusted with the memory of its workers
    byte_buffer out_;
    attachment_groups arrived_;
    spin_wait spin_;
};

} // namespace twat::mp::detail

#endif
