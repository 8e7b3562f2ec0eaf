// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_BROKER_LINK_HPP
#define TWAT_MP_SRC_CLUSTER_BROKER_LINK_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twat/mp/cluster/options.hpp>

#include "backend/chunk.hpp"
#include "cluster/names.hpp"

struct __natsMsg;

namespace twat::mp::detail::cluster {

/// A message that came from the broker.
class incoming
{
public:
    incoming(__natsMsg* message, time_point when) noexcept : message_(message, &destroy), when_(when) {}

    std::string_view subject() const noexcept;
    /// Where an answer goes, or a message of the stream is acknowledged; may be empty.
    std::string_view reply() const noexcept;
    std::span<const std::byte> bytes() const noexcept;
    /// Instead of an answer: the broker's status, "408" say; empty: it is a message.
    std::string_view status() const noexcept;
    time_point when() const noexcept { return when_; }

private:
    static void destroy(__natsMsg* message) noexcept;

    std::unique_ptr<__natsMsg, void (*)(__natsMsg*)> message_;
    time_point when_;
};

/** A connection to the broker that comes back by itself, with the stream of one group and build.

    A thread of its own runs nats.c on an io_context of its own, so that the user's loop is never held up, and need not run for the broker's pings to
    be answered while a pool is idle. What can block (connecting, looking after the stream) is done in a helper thread that lives as long as that
    takes. While the broker is away what is published is dropped: the sender knows by itself what to send again.
*/
class broker_link
{
public:
    struct settings
    {
        std::string url;
        broker_credentials credentials;
        std::string client; ///< Its name, for those who look at the broker.
        cluster::names names{""};
        duration lease{};
        /// A pool: its id, which the names of its chunks begin with.
        std::string pool{};
        std::size_t replicas = 1;
        /// A pool: without the stream it is of no use. An agent waits for a pool to make it.
        bool owns_stream = true;
        /// It is destroyed on a loop that must not be held up.
        bool beside_a_loop = false;
        std::vector<std::string> subscriptions;
    };

    /// All are called in the link's thread.
    struct callbacks
    {
        /// The stream is there and the subscriptions stand. @param again Not for the first time: what was sent may be lost.
        std::function<void(std::size_t max_payload, bool again)> connected;
        std::function<void()> disconnected;
        /// It cannot be used, and why. It is tried again after a pause.
        std::function<void(std::string why)> failed;
        std::function<void(std::vector<incoming>&&)> arrived;
        /// Nobody listens where something was asked, and the broker says so at once; it does not say where.
        std::function<void()> unanswered;
    };

    broker_link(settings s, callbacks on);
    /// Nothing is called back any more when this returns. Does not wait for the broker; the connection is closed behind it.
    ~broker_link();

    // For any thread:
    void publish(std::string subject, std::vector<std::byte> bytes, std::string reply = {});
    /// To the stream, which drops what comes twice under one id.
    void publish_once(std::string subject, std::vector<std::byte> bytes, std::string reply, std::string message_id);
    void publish_text(std::string subject, std::string_view text, std::string reply = {});
    /// Tells the stream to let go of a chunk of the pool's, which has these numbers. If the broker goes away, it looks after them when it is back.
    /// @param doubtful The stream may not do as it is told, or have other messages under these numbers by now: asks about them at once.
    void take_out(std::string subject, std::string text, std::uint64_t chunk, std::vector<std::uint64_t> sequences,
                  bool doubtful);
    /// The stream is not there, or the consumer: looks after them.
    void look_after_stream();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace twat::mp::detail::cluster

#endif
