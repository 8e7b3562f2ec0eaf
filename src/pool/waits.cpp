// SPDX-License-Identifier: BSL-1.0
// What a pool waits for on its context, and what of it counts as work there.
#include "pool/pool.hpp"

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

void pool::set_alarm(time_point wake)
{
    alarm_->set(wake, [&] {
        return [self = shared_from_this(), wake](boost::system::error_code ec) {
            if (!ec && !self->gone_ && self->alarm_->rings(wake))
                self->look();
        };
    });
}

/// Some time has passed.
void pool::look()
{
    if (engine_->judges())
        workers_->catch_up(); // this loop may have been away while they answered
    engine_->tick();
    settle();
}

void pool::set_idle_alarm(time_point wake)
{
    idle_alarm_.set(wake, [&] {
        return [weak = weak_from_this(), link = link_] {
            link->post([weak] {
                const auto self = weak.lock();
                if (!self || self->gone_)
                    return;
                self->idle_alarm_.rang();
                self->look();
            });
        };
    });
}

} // namespace twat::mp::detail
