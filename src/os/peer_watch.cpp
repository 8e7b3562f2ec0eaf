// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/completion/peer_watch.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

namespace twat::mp::detail {
namespace {


/// Whether the socket has hung up now. A level, not an edge: asking does not consume anything.
bool has_event(int epoll) noexcept
{
    ::epoll_event event{};
    return ::epoll_wait(epoll, &event, 1, 0) > 0;
}

} // namespace

peer_watch::peer_watch(const asio::any_io_executor& executor, int socket, peer_hangup until)
{
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return; // out of descriptors: running the operation unwatched is better than failing it
    ::epoll_event wanted{};
    wanted.events = until == peer_hangup::any ? EPOLLRDHUP : 0; // EPOLLHUP and EPOLLERR are always reported
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &wanted) != 0) {
        gone_ = errno == EBADF; // any other failure (a limit of the system, say) tells nothing about the peer
        ::close(epoll);
        return;
    }
    try {
        events_.emplace(executor, epoll);
    } catch (...) {
        ::close(epoll);
    }
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
    events_->async_wait(asio::posix::stream_descriptor::wait_read,
                        asio::bind_executor(executor, [self = shared_from_this(), executor](const boost::system::error_code& ec) {
                            if (!ec)
                                self->look(executor);
                        }));
}

/** A wait without an operation may complete for no reason.

    Asio reuses the state of a descriptor that was closed for the next one that is opened. An event of the old descriptor that is still queued
    then completes the new one's wait. This happens when a worker dies: its socket is closed while its hang-up is queued.
*/
void peer_watch::look(const asio::any_io_executor& executor)
{
    {
        std::lock_guard lock(mutex_);
        if (stopped_)
            return;
        if (!has_event(events_->native_handle()))
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
