// SPDX-License-Identifier: BSL-1.0
// What a pool waits for on its context, and what of it counts as work there.
#include "pool/pool.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace twat::mp::detail {

void pool::set_active(bool active)
{
    if (active == work_.has_value())
        return;
    if (active)
        work_.emplace(asio::prefer(*executor_, asio::execution::outstanding_work.tracked));
    workers_->set_active(active);
    if (!active)
        work_.reset();
}

void pool::set_timer(time_point wake)
{
    if (wake == time_point::max()) {
        if (timer_at_ != time_point::max()) {
            timer_at_ = time_point::max();
            timer_->cancel();
        }
        return;
    }
    if (timer_at_ <= wake)
        return; // rings too early at worst, and is set again then
    timer_at_ = wake;
    timer_->expires_at(wake);
    timer_->async_wait(asio::bind_executor(*strand_, [self = shared_from_this(), wake](boost::system::error_code ec) {
        if (ec || self->gone_ || self->timer_at_ != wake)
            return;
        self->timer_at_ = time_point::max();
        self->look();
    }));
}

/// Some time has passed.
void pool::look()
{
    if (engine_->judges())
        workers_->catch_up(); // this loop may have been away while they answered
    engine_->tick();
    settle();
}

/// As `set_timer`, but it is no work on the context.
void pool::set_idle_timer(time_point wake)
{
    if (wake == time_point::max()) {
        if (std::exchange(idle_timer_at_, wake) != wake)
            idle_timer_.clear();
        return;
    }
    if (idle_timer_at_ <= wake)
        return;
    const auto ring = [weak = weak_from_this(), link = link_] {
        link->post([weak] {
            const auto self = weak.lock();
            if (!self || self->gone_)
                return;
            self->idle_timer_at_ = time_point::max();
            self->look();
        });
    };
    try {
        idle_timer_.set(wake, ring);
        idle_timer_at_ = wake;
    }
    catch (...) {
        idle_timer_at_ = time_point::max(); // no memory, or no thread: it is tried again when something happens
    }
}

} // namespace twat::mp::detail
