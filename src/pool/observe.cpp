// SPDX-License-Identifier: BSL-1.0
// Who is told what happens: `pool_options::on_trace`, and those who came later.
#include "pool/pool.hpp"

#include <utility>

namespace twat::mp::detail {

void pool::observe(std::weak_ptr<pool_observer> observer)
{
    check_process();
    enter([observer = std::move(observer)](pool& p) {
        const auto newcomer = observer.lock();
        if (!newcomer || p.released_)
            return;
        std::erase_if(p.observers_, [](const auto& each) { return each.expired(); });
        p.observers_.push_back(observer);
        p.set_observers();
        p.engine_->describe([&](trace_event event, worker_id worker) {
            p.name(event, worker);
            newcomer->happened(event);
        });
    });
}

/// The engine makes events only where somebody listens.
void pool::set_observers()
{
    std::function<void(const trace_event&, worker_id)> traces;
    std::function<void(const observed_failure&, worker_id)> failures;
    if (options_.on_trace || !observers_.empty())
        traces = [this](const trace_event& event, worker_id worker) { trace(event, worker); };
    if (!observers_.empty())
        failures = [this](const observed_failure& failure, worker_id worker) { tell_failure(failure, worker); };
    engine_->set_observers(std::move(traces), std::move(failures));
}

template <class F>
void pool::tell_observers(F&& tell)
{
    // what is gone stays in the list until somebody comes: the engine may be calling through the function that would be replaced
    for (const auto& each : observers_)
        if (const auto observer = each.lock())
            tell(*observer);
}

/// Nodes and processes where the engine knows numbers. A worker may be gone when its end is told.
void pool::name(trace_event& event, worker_id worker)
{
    const auto [known, added] = traced_.try_emplace(worker);
    if (added)
        known->second = workers_->identify(worker);
    if (!event.host) // the number of a worker there
        event.worker = known->second.node;
    event.pid = known->second.pid;
}

void pool::trace(trace_event event, worker_id worker)
{
    if (released_)
        return;
    if (worker != 0) {
        name(event, worker);
        if (event.what == trace_event::worker_gone)
            traced_.erase(worker);
    }
    if (options_.on_trace)
        options_.on_trace(event);
    tell_observers([&](pool_observer& observer) { observer.happened(event); });
}

void pool::tell_failure(observed_failure failure, worker_id worker)
{
    if (released_)
        return;
    trace_event event{};
    if (worker != 0) {
        failure.placed = true;
        event.host = failure.host;
        event.worker = failure.worker;
        name(event, worker);
        failure.worker = event.worker;
        failure.pid = event.pid;
    }
    tell_observers([&](pool_observer& observer) { observer.failed(failure); });
}

} // namespace twat::mp::detail
