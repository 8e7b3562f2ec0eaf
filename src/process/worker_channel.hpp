// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_CHANNEL_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_CHANNEL_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include <twat/mp/detail/codec/byte_buffer.hpp>

#include "start/attachments.hpp"
#include "wire/frame.hpp"

namespace twat::mp::detail {

/** The parent's end of a worker's socket, without waiting: frames are queued and sent as far as they go, and what has arrived
    is cut into frames.
*/
class worker_channel
{
public:
    enum class progress {
        done,    ///< All is sent, or nothing more has arrived.
        more,    ///< There may be more at once; others get their turn first.
        blocked, ///< The socket takes nothing more now.
        closed,  ///< The other end is gone.
    };

    /// @param socket Non-blocking; not owned. @param frame_limit The longest frame that may come.
    worker_channel(int socket, std::uint64_t frame_limit) : socket_(socket), reader_(frame_limit) {}

    void queue(frame_header header, std::span<const std::byte> bytes = {}) { append_frame(tail(), header, bytes); }
    /// Where the next small bytes go; whole frames only.
    byte_buffer& tail();
    /// Queues bytes that stay where they are until they are sent, which `owner` sees to.
    void queue_reference(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
    /// Queues frames whose first bytes take descriptors along: as many as it takes, none if there is nothing to send.
    void queue_attached(frame_header header, std::span<const attachment> sent);
    bool has_unsent() const noexcept { return !parts_.empty(); }
    void drop_unsent() noexcept { parts_.clear(); }

    progress send();

    /// Reads up to `most` bytes.
    progress receive(std::size_t most);
    std::optional<frame> next() { return reader_.next(); }
    /// Descriptors that came along.
    attachment_groups& arrived() noexcept { return arrived_; }

private:
    struct part
    {
        byte_buffer own;
        std::span<const std::byte> bytes; ///< Unless `own` holds them.
        std::shared_ptr<const void> owner;
        std::size_t sent = 0;
        attachments along; ///< With the first byte.

        std::span<const std::byte> unsent() const noexcept { return (owner ? bytes : own.bytes()).subspan(sent); }
    };

    int socket_;
    frame_reader reader_;
    attachment_groups arrived_;
    std::deque<part> parts_;
};

} // namespace twat::mp::detail

#endif
