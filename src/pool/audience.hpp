// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_AUDIENCE_HPP
#define TWAT_MP_SRC_POOL_AUDIENCE_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/options.hpp>

#include "backend/worker_set.hpp"

namespace twat::mp::detail {

/** The listeners of a pool's trace events: `pool_options::on_trace`, and those that were added later. On the pool's strand.

    The engine's events have worker numbers; listeners get nodes and process ids.
*/
class audience
{
public:
    /// @param on_trace May be empty. Outlives this.
    explicit audience(const std::function<void(const trace_event&)>& on_trace) noexcept : on_trace_(on_trace) {}

    void add(std::weak_ptr<pool_observer> observer)
    {
        std::erase_if(observers_, [](const auto& each) { return each.expired(); });
        observers_.push_back(std::move(observer));
    }
    bool hears_traces() const noexcept { return on_trace_ || hears_failures(); }
    bool hears_failures() const noexcept { return !observers_.empty(); }

    /// @param workers To ask who a worker is that is not known yet. It may be gone when its end is told.
    void name(trace_event& event, worker_id worker, const worker_set& workers)
    {
        const auto [known, added] = named_.try_emplace(worker);
        if (added)
            known->second = workers.identify(worker);
        if (!event.host) // the number of a worker there
            event.worker = known->second.node;
        event.pid = known->second.pid;
    }
    /// What a guest runs, runs inside what its thread runs.
    void name_guest(worker_id guest, std::size_t node)
    {
        if (hears_traces())
            named_[guest].node = node;
    }
    void forget(worker_id worker) { named_.erase(worker); }

    /// @param worker 0: none.
    void tell(trace_event event, worker_id worker, const worker_set& workers)
    {
        if (worker != 0) {
            name(event, worker, workers);
            if (event.what == trace_event::worker_gone)
                forget(worker);
        }
        if (on_trace_)
            on_trace_(event);
        tell_observers([&](pool_observer& observer) { observer.happened(event); });
    }
    void tell(observed_failure failure, worker_id worker, const worker_set& workers)
    {
        if (worker != 0) {
            trace_event event{};
            failure.placed = true;
            event.host = failure.host;
            event.worker = failure.worker;
            name(event, worker, workers);
            failure.worker = event.worker;
            failure.pid = event.pid;
        }
        tell_observers([&](pool_observer& observer) { observer.failed(failure); });
    }

private:
    template <class F>
    void tell_observers(F&& tell)
    {
        // what is gone stays in the list until somebody comes: the engine may be calling through the function that would be replaced
        for (const auto& each : observers_)
            if (const auto observer = each.lock())
                tell(*observer);
    }

    const std::function<void(const trace_event&)>& on_trace_;
    std::vector<std::weak_ptr<pool_observer>> observers_;
    std::unordered_map<worker_id, worker_set::identity> named_;
};

} // namespace twat::mp::detail

#endif
