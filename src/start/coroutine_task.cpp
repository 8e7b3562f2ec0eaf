// SPDX-License-Identifier: BSL-1.0
#include "start/coroutine_task.hpp"

namespace twat::mp::detail {

std::stop_token coroutine_task::stop_token()
{
    if (!stop.stop_possible()) {
        stop = std::stop_source();
        if (cancelled)
            stop.request_stop();
    }
    return stop.get_token();
}

void coroutine_task::cancel()
{
    cancelled = true;
    stop.request_stop();
}

coroutine_task& coroutine_places::take(worker_context& worker)
{
    if (free_.empty()) {
        free_.reserve(all_.size() + 1); // giving one back must not fail
        free_.push_back(&all_.emplace_back());
    }
    coroutine_task& taken = *free_.back();
    free_.pop_back();
    taken.worker = &worker;
    return taken;
}

void coroutine_places::give_back(coroutine_task& task) noexcept
{
    ++task.life;
    task.mark = 0;
    task.deadline = std::chrono::steady_clock::time_point::max();
    task.stop = std::stop_source(std::nostopstate);
    task.cancelled = false;
    task.running = {};
    task.meter = nullptr;
    free_.push_back(&task);
}

} // namespace twat::mp::detail
