// SPDX-License-Identifier: BSL-1.0
// How all worker threads of a pool end: in order, or as soon as they can.
#include <unistd.h>

#include <utility>

#include "thread/thread_workers_state.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

void thread_workers_set::stop(std::function<void()> done)
{
    stopping_ = true;
    stopped_ = std::move(done);
    bool none = false;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [id, node] : workers_)
            node.worker->finish();
        none = workers_.empty();
    }
    if (none)
        return shared_state::post(shared_, [](thread_workers_set& self) { self.stop_is_over(); });
    const time_point due = saturating_add(clock::now(), options_.stop_grace);
    if (!strand_ || due == time_point::max())
        return;
    stop_timer_.emplace(*strand_, due);
    stop_timer_->async_wait([shared = shared_](boost::system::error_code ec) {
        auto late = [](thread_workers_set& self) {
            if (!self.stop_timer_ || !self.stopped_)
                return;
            // A finalizer goes on. It cannot be killed; the destructor waits for it.
            bool all_over = true;
            for (const auto& [id, node] : self.workers_) {
                if (node.state->thread.is_over())
                    continue; // and has said so, which was not heard yet
                all_over = false;
                ++self.abandoned_;
                self.tell(pool_event::worker_abandoned, node.worker->index());
            }
            if (!all_over)
                self.stop_is_over();
        };
        if (!ec)
            shared->with_set(late);
    });
}

void thread_workers_set::stop_is_over()
{
    stop_timer_.reset();
    if (const auto done = std::exchange(stopped_, nullptr))
        done();
}

void thread_workers_set::kill() noexcept
{
    silent_ = true;
    quit_all();
}

void thread_workers_set::shut_down() noexcept
{
    kill();
    stop_timer_.reset();
    stopped_ = nullptr;
    strand_.reset();
}

void thread_workers_set::quit_all() noexcept
{
    std::vector<std::shared_ptr<thread_worker>> all;
    {
        std::lock_guard lock(mutex_);
        halted_ = true;
        for (const auto& [id, node] : workers_)
            all.push_back(node.worker);
        for (const auto& [id, guest] : guests_)
            all.push_back(guest);
    }
    // Without the mutex: stop callbacks run in here.
    for (const auto& worker : all)
        worker->quit();
}

void thread_workers_set::halt() noexcept
{
    if (::getpid() != pid_)
        return;
    quit_all();
    if (inside())
        return;
    const bool here = shared_->link->runs_here() || (strand_ && strand_->running_in_this_thread());
    std::lock_guard joining(halt_mutex_);
    std::vector<std::thread> over;
    std::vector<std::pair<std::thread, std::shared_ptr<life>>> others;
    {
        std::lock_guard lock(mutex_);
        over.swap(ended_);
        for (auto& [id, node] : workers_)
            if (node.thread.joinable())
                others.emplace_back(std::move(node.thread), node.state);
    }
    for (auto& thread : over)
        thread.join();
    for (auto& [thread, state] : others)
        if (!here || state->thread.wait_for_end_or_nested_call())
            thread.join();
        else
            thread.detach(); // what it still uses it owns
}

} // namespace twat::mp::detail
