// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_LINK_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_LINK_HPP

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <twat/mp/detail/codec/byte_buffer.hpp>

#include "backend/worker_set.hpp"
#include "os/descriptor.hpp"
#include "process/worker_channel.hpp"
#include "shm/result_ring.hpp"

namespace twat::mp::detail {

/** Who takes what comes in over a `worker_link`. */
class link_user
{
public:
    /// The socket can be read or written, or the wait for that ended otherwise.
    virtual void on_readable(const boost::system::error_code& ec) = 0;
    virtual void on_writable(const boost::system::error_code& ec) = 0;

    /// Something is about to be taken that the worker sent. Not in `look`, for that is no sign of its socket.
    virtual void heard() = 0;
    /// These may throw `mp::error` (`protocol_error`).
    virtual void take(const frame& arrived) = 0;
    virtual void take(const record& what) = 0;
    /// Whether there is any use in taking more.
    virtual bool listens() const noexcept = 0;
    /// Whether the other end is there; `take` may find out that it is not.
    virtual bool connected() const noexcept = 0;

protected:
    ~link_user() = default;
};

/** The parent's way to a worker process: its socket, and the ring of outcomes beside it. On the pool's strand.

    Whatever arrived on the socket was written after what had been published in the ring by then; so the ring is read first.
*/
class worker_link
{
public:
    enum class result {
        all,    ///< All that was there is taken.
        later,  ///< The time was up before that.
        closed, ///< So it is, and the other end is gone.
    };

    /// @param socket Non-blocking. @param page Outlives this. @param frame_limit The longest frame that may come.
    worker_link(link_user& user, unique_descriptor socket, const shared_page& page, std::uint64_t frame_limit);

    /// From now on it can be waited for. Throws `boost::system::system_error`.
    void open(const pool_strand& strand);
    bool is_open() const noexcept { return socket_.has_value(); }
    /// Lets go of the socket.
    void close() noexcept;
    /// Waits for what is to be waited for, and for nothing else. @param keep The user, for the handlers.
    void wait(bool to_read, bool to_write, const std::shared_ptr<link_user>& keep);
    /// Whether the last `send` could not send all.
    bool is_blocked() const noexcept { return blocked_; }
    bool waits_to_write() const noexcept { return writing_; }

    worker_channel& channel() noexcept { return channel_; }
    /// Sends what is queued, as far as it goes. False: the other end is gone.
    bool send();

    /// Reads until there is nothing more, or for as long as that is the turn's time. Throws as `take` does.
    result read(time_point until);
    /// Takes what is in the ring, which nobody may have rung for. @param found Whether there is something. True: all was taken.
    bool look(time_point until, bool& found);
    /// After malformed data: what was published before it is taken all the same.
    void take_published() noexcept;
    /// Of a worker that is over: reads to the end of what it left behind. Throws as `take` does.
    void drain();
    /// Whether an earlier turn left something.
    bool has_rest() const noexcept { return !rest_.empty(); }

private:
    using descriptor = asio::posix::basic_stream_descriptor<pool_strand>;

    bool take_arrivals(time_point until);
    bool take_ring(time_point until);

    link_user& user_;
    unique_descriptor socket_fd_; ///< Until `socket_` owns it.
    std::optional<descriptor> socket_;
    bool reading_ = false, writing_ = false; ///< A wait is armed.
    bool blocked_ = false;
    worker_channel channel_;
    ring_reader ring_;
    record_reader records_;           ///< Of what the ring held.
    byte_buffer drained_;             ///< From the ring.
    std::span<const std::byte> rest_; ///< Of `drained_`: not taken yet.
};

} // namespace twat::mp::detail

#endif
