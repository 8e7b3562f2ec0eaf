// SPDX-License-Identifier: BSL-1.0
// What worker processes tell, in batches that end with `decide`, and when to look at them.
#include <algorithm>
#include <utility>

#include "process/process_workers.hpp"

namespace twat::mp::detail {

void process_workers_set::begin_batch(worker_process& worker)
{
    ++depth_;
    touch(worker);
}

// What the worker is given goes out at the end of the batch; what it waits for may change. Outside one only the timer is left to do.
void process_workers_set::touch(worker_process& worker)
{
    if (depth_ == 0)
        set_timer(worker.next_due());
    else if (touched_.empty() || touched_.back().get() != &worker)
        touched_.push_back(worker.shared_from_this());
}

void process_workers_set::end_batch()
{
    if (depth_ == 1)
        events_.decide();
    settle_batch();
}

void process_workers_set::settle_batch()
{
    if (--depth_ != 0)
        return;
    if (settings_.beside_loop)
        turn_.worked_until(clock::now());
    time_point next = time_point::max();
    while (!touched_.empty()) {
        settled_.swap(touched_);
        for (const auto& worker : settled_) {
            worker->flush();
            worker->update_waits();
            next = std::min(next, worker->next_due());
        }
        settled_.clear();
    }
    set_timer(next);
}

time_point process_workers_set::turn_until() noexcept
{
    return settings_.beside_loop ? turn_.until(clock::now()) : time_point::max();
}

void process_workers_set::read_later(worker_process& worker)
{
    read_later_.push_back(worker.shared_from_this());
    if (std::exchange(turn_posted_, true))
        return;
    link_->post([weak = std::weak_ptr(self_)] {
        if (const auto self = weak.lock(); self && *self)
            (*self)->take_turn();
    });
}

void process_workers_set::take_turn()
{
    turn_posted_ = false;
    turn_.begin_anew();
    auto all = std::exchange(read_later_, {});
    const time_point until = turn_until();
    std::size_t done = 0;
    do
        all[done]->read_on();
    while (++done != all.size() && clock::now() < until);
    for (; done != all.size(); ++done)
        read_later(*all[done]);
}

void process_workers_set::worker_launched(worker_process& worker)
{
    diary_.launched(worker.identity());
    events_.worker_started(worker.id());
}

void process_workers_set::worker_is_ready(worker_process& worker)
{
    diary_.ready(worker.identity());
    events_.worker_ready(worker.id());
}

void process_workers_set::worker_is_gone(worker_process& worker, const worker_end& end)
{
    const auto keep = worker.shared_from_this();
    std::erase(live_, keep);
    by_id_.erase(worker.id());
    children_.remove(worker.process().get());
    if (end.given_up)
        ++abandoned_;
    diary_.gone(worker.identity(), end);
    events_.worker_gone(worker.id(), loss_of(end, settings_));
    end_stop();
}

void process_workers_set::catch_up()
{
    if (!active_)
        return;
    ++depth_;
    for (const auto& worker : std::vector(live_)) {
        touch(*worker);
        worker->catch_up();
    }
    settle_batch();
}

// Looks at everything that may have happened; not from inside a call of the engine.
void process_workers_set::post_pass()
{
    if (std::exchange(pass_posted_, true))
        return;
    link_->post([weak = std::weak_ptr(self_)] {
        if (const auto self = weak.lock(); self && *self)
            (*self)->pass();
    });
}

void process_workers_set::pass()
{
    pass_posted_ = false;
    if (!active_)
        return;
    ++depth_;
    const time_point now = clock::now();
    for (const auto& worker : std::vector(live_)) {
        touch(*worker);
        worker->settle();
        worker->on_time(now);
    }
    end_stop();
    end_batch();
    set_timer();
}

void process_workers_set::set_timer()
{
    if (!timer_)
        return;
    time_point next = time_point::max();
    if (active_) {
        for (const auto& worker : live_)
            next = std::min(next, worker->next_due());
    }
    if (next == time_point::max()) {
        if (std::exchange(timer_at_, time_point::max()) != time_point::max())
            timer_->cancel();
        return;
    }
    set_timer(next);
}

// At the latest.
void process_workers_set::set_timer(time_point next)
{
    if (!timer_ || !active_ || timer_at_ <= next)
        return; // rings too early at worst, and is set again then
    timer_at_ = next;
    timer_->expires_at(next);
    timer_->async_wait([weak = std::weak_ptr(self_), next](const boost::system::error_code& ec) {
        const auto self = weak.lock();
        if (ec || !self || !*self || (*self)->timer_at_ != next)
            return;
        (*self)->timer_at_ = time_point::max();
        (*self)->pass();
    });
}

} // namespace twat::mp::detail
