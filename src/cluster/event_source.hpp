// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_EVENT_SOURCE_HPP
#define TWAT_MP_SRC_CLUSTER_EVENT_SOURCE_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <twat/mp/config.hpp>

namespace twat::mp::detail::cluster {

/** Watches one descriptor for somebody else's library, which does the reading and writing: its "external event loop".

    It watches a `dup` of the descriptor. The library closes its own whenever it likes, in any thread, and the number may be somebody else's file a
    moment later.
*/
class event_source : public std::enable_shared_from_this<event_source>
{
public:
    struct callbacks
    {
        std::function<void()> readable;
        std::function<void()> writable;
    };

    /// The callbacks are called in the context's only thread.
    event_source(asio::io_context& context, callbacks on) : context_(context), on_(std::move(on)) {}

    // For any thread:
    /// Watches a descriptor from now on, in the place of another. @return Whether it could be duplicated.
    bool attach(int fd);
    void detach();
    /// Whether it is to be told when the descriptor is readable or writable. In the context's thread this holds at once: a library that says
    /// "stop writing" in the middle of a write, and is asked to write again before it is heard, waits for ever.
    void want_read(bool wanted);
    void want_write(bool wanted);

private:
    struct watched
    {
        watched(asio::io_context& context, int fd) : descriptor(context, fd) {}

        asio::posix::stream_descriptor descriptor;
        bool want_read = true, want_write = false;
        bool reading = false, writing = false; // a wait is armed
    };

    template <class Change>
    void change(Change change);
    void arm(const std::shared_ptr<watched>& now);

    asio::io_context& context_;
    const callbacks on_;
    std::shared_ptr<watched> current_; // in the context's thread
};

} // namespace twat::mp::detail::cluster

#endif
