// SPDX-License-Identifier: BSL-1.0
#include "cluster/event_source.hpp"

#include <boost/asio/dispatch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace twat::mp::detail::cluster {

bool event_source::attach(int fd)
{
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return false;
    asio::dispatch(context_, [self = shared_from_this(), copy] {
        if (self->current_) {
            boost::system::error_code ignored;
            self->current_->descriptor.close(ignored);
        }
        self->current_ = std::make_shared<watched>(self->context_, copy);
        self->arm(self->current_);
    });
    return true;
}

void event_source::detach()
{
    asio::dispatch(context_, [self = shared_from_this()] {
        if (const auto old = std::exchange(self->current_, nullptr)) {
            boost::system::error_code ignored;
            old->descriptor.close(ignored);
        }
    });
}

template <class Change>
void event_source::change(Change change)
{
    asio::dispatch(context_, [self = shared_from_this(), change] {
        if (const auto now = self->current_) {
            change(*now);
            self->arm(now);
        }
    });
}

void event_source::want_read(bool wanted)
{
    change([wanted](watched& now) { now.want_read = wanted; });
}

void event_source::want_write(bool wanted)
{
    change([wanted](watched& now) { now.want_write = wanted; });
}

// A wait that is armed and not wanted any more is left to itself: it finds that out when it completes.
void event_source::arm(const std::shared_ptr<watched>& now)
{
    if (now != current_)
        return;
    if (now->want_read && !std::exchange(now->reading, now->want_read)) {
        now->descriptor.async_wait(now->descriptor.wait_read,
                                   [self = shared_from_this(), now](boost::system::error_code ec) {
                                       now->reading = false;
                                       if (ec || now != self->current_)
                                           return;
                                       if (now->want_read)
                                           self->on_.readable();
                                       self->arm(now);
                                   });
    }
    if (now->want_write && !std::exchange(now->writing, now->want_write)) {
        now->descriptor.async_wait(now->descriptor.wait_write,
                                   [self = shared_from_this(), now](boost::system::error_code ec) {
                                       now->writing = false;
                                       if (ec || now != self->current_)
                                           return;
                                       if (now->want_write)
                                           self->on_.writable();
                                       self->arm(now);
                                   });
    }
}

} // namespace twat::mp::detail::cluster
