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
        p.audience_.add(observer);
        p.set_observers();
        p.engine_->describe([&](trace_event event, worker_id worker) {
            p.audience_.name(event, worker, *p.workers_);
            newcomer->happened(event);
        });
    });
}

/// The engine makes events only where somebody listens.
void pool::set_observers()
{
    std::function<void(const trace_event&, worker_id)> traces;
    std::function<void(const observed_failure&, worker_id)> failures;
    if (audience_.hears_traces())
        traces = [this](const trace_event& event, worker_id worker) { tell(event, worker); };
    if (audience_.hears_failures())
        failures = [this](const observed_failure& failure, worker_id worker) { tell(failure, worker); };
    engine_->set_observers(std::move(traces), std::move(failures));
}

template <class What>
void pool::tell(const What& what, worker_id worker)
{
    if (!released_)
        audience_.tell(what, worker, *workers_);
}

} // namespace twat::mp::detail
