// SPDX-License-Identifier: BSL-1.0
// Threads that run tasks of a pool while they block inside another of its tasks.
#include "thread/thread_workers_state.hpp"

namespace twat::mp::detail {

std::shared_ptr<thread_worker> thread_workers_set::guest(worker_id id) const
{
    std::lock_guard lock(mutex_);
    const auto found = guests_.find(id);
    return found == guests_.end() ? nullptr : found->second;
}

worker_id thread_workers_set::add_guest()
{
    std::lock_guard lock(mutex_);
    const worker_id id = ++last_guest_;
    guests_[id] = std::make_shared<thread_worker>(0, shared_->pool, options_.cancel_grace, reporter(id));
    if (halted_)
        guests_[id]->quit();
    return id;
}

void thread_workers_set::run_guest(worker_id guest, const std::function<bool()>& stop)
{
    const auto self = this->guest(guest);
    if (!self)
        return;
    const worker_context* outer = current_worker();
    const auto scope = self->enter(outer ? outer->index : 0);
    self->serve_until(stop);
    self->close();
    // The engine may have given it a chunk in the meantime, which goes elsewhere.
    shared_state::post(shared_, [guest](thread_workers_set& set) { set.tell_gone(guest); });
}

void thread_workers_set::wake_guest(worker_id guest) noexcept
{
    if (const auto self = this->guest(guest))
        self->wake();
}

void thread_workers_set::remove_guest(worker_id guest)
{
    std::lock_guard lock(mutex_);
    guests_.erase(guest);
}

} // namespace twat::mp::detail
