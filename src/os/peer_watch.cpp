// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/completion/peer_watch.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <sys/epoll.h>
#include <unistd.h>

namespace twat::mp::detail {

peer_watch::peer_watch(const asio::any_io_executor& executor, int socket)
{
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return; // no descriptor is left: better not watched than not done
    ::epoll_event wanted{};
    wanted.events = EPOLLRDHUP; // EPOLLHUP and EPOLLERR come unasked
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &wanted) != 0) {
        ::close(epoll);
        gone_ = true;
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
        events_->async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::bind_executor(executor, [self = shared_from_this()](const boost::system::error_code& ec) {
                                if (!ec)
                                    self->hang_up();
                            }));
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
