// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/completion/peer_watch.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <sys/epoll.h>

#include "os/readiness.hpp"

namespace twat::mp::detail {

peer_watch::peer_watch(const asio::any_io_executor& executor, int socket, peer_hangup until)
{
    boost::system::error_code ec;
    unique_descriptor hang_up = make_readiness(socket, until == peer_hangup::any ? std::uint32_t(EPOLLRDHUP) : 0u, ec);
    if (ec) {
        // Anything else is a limit of the system: running the operation unwatched is better than failing it.
        gone_ = ec == boost::system::errc::bad_file_descriptor;
        return;
    }
    events_.emplace(executor, hang_up.get());
    hang_up.release();
}

void peer_watch::start(const asio::any_io_executor& executor)
{
    std::lock_guard lock(mutex_);
    if (stopped_)
        return;
    if (gone_)
        asio::post(executor, [self = shared_from_this()] { self->hang_up(); });
    else if (events_)
        wait(executor);
}

void peer_watch::wait(const asio::any_io_executor& executor)
{
    events_->async_wait(
        asio::posix::stream_descriptor::wait_read,
        asio::bind_executor(executor, [self = shared_from_this(), executor](const boost::system::error_code& ec) {
            if (!ec)
                self->look(executor);
        }));
}

// Each worker that dies can complete a wait here for no reason: its socket is closed while its hang-up is queued.
void peer_watch::look(const asio::any_io_executor& executor)
{
    {
        std::lock_guard lock(mutex_);
        if (stopped_)
            return;
        if (!is_ready(events_->native_handle()))
            return wait(executor);
    }
    hang_up();
}

void peer_watch::stop() noexcept
{
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (events_) {
        boost::system::error_code ignored;
        events_->close(ignored);
    }
}

void peer_watch::hang_up()
{
    {
        std::lock_guard lock(mutex_);
        if (stopped_)
            return;
    }
    signal_.emit(asio::cancellation_type::terminal);
}

} // namespace twat::mp::detail
