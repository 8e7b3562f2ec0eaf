// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_PEER_WATCH_HPP
#define TWAT_MP_DETAIL_COMPLETION_PEER_WATCH_HPP

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <mutex>
#include <optional>

#include <twat/mp/config.hpp>

namespace twat::mp {

/// What counts as a hang-up of the peer; see `bind_to_peer`.
enum class peer_hangup {
    /// The peer closed the connection, reset it, or shut down its sending half. From the outside the first and the last look the same.
    any,
    /** Only an end in both directions: a reset, an error of the connection, or, on a local socket, a close.

        For peers that shut down their sending half once the request is complete and then read the answer, as `nc -N` does. Over TCP, a peer that
        closes the connection is noticed only when it resets it, that is, once something has been sent to it or if it had unread data.
    */
    reset_only,
};

namespace detail {

/** Waits for a peer to hang up, beside everything else that is done with the socket, and then emits a cancellation signal.

    An epoll instance of its own asks for nothing but the hang-up, so bytes that were not read neither wake it nor hide the end behind
    them. It becomes readable when the peer is gone.
*/
class TWAT_MP_DECL peer_watch : public std::enable_shared_from_this<peer_watch>
{
public:
    /// @param socket Only used here, and not owned.
    peer_watch(const asio::any_io_executor& executor, int socket, peer_hangup until = peer_hangup::any);

    /// What is watched for: the operation's slot.
    asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    void cancel(asio::cancellation_type type) { signal_.emit(type); }

    /// Begins to wait; the signal is emitted on `executor`. No effect behind `stop`.
    void start(const asio::any_io_executor& executor);

    /// The operation is over: nothing is emitted, nothing is outstanding any more.
    void stop() noexcept;

private:
    void wait(const asio::any_io_executor& executor);
    void look(const asio::any_io_executor& executor);
    void hang_up();

    asio::cancellation_signal signal_;
    std::mutex mutex_; // an operation that was initiated in another thread may end before it is watched
    bool stopped_ = false;
    bool gone_ = false;                                    // the socket was not open
    std::optional<asio::posix::stream_descriptor> events_; // empty: it cannot be watched
};

} // namespace detail
} // namespace twat::mp

#endif
