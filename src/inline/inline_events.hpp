// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_INLINE_INLINE_EVENTS_HPP
#define TWAT_MP_SRC_INLINE_INLINE_EVENTS_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/pool_dump.hpp>

#include <unistd.h>

#include "engine/live_histogram.hpp"
#include "observe/thread_trace.hpp"

namespace twat::mp::detail {

/** Tells observers what an inline pool does. Its one worker, node 0, is whichever thread makes a call; each task is a chunk. For any thread. */
class inline_events
{
public:
    using clock = std::chrono::steady_clock;

    class task;

    /// Tells it first what is under way.
    void observe(std::weak_ptr<pool_observer> observer);

    /// Whether calls can run: the initializer has run, and the pool has not ended.
    void set_ready(bool ready);
    bool ready() const;

    void task_failed(std::uint64_t index, const operation_traits& traits, trace_outcome how,
                     const std::exception_ptr& error);

    /// The threads that run tasks now, and which: the outermost of a thread first. Their stacks are on their way.
    std::vector<dumped_worker> busy() const;

    std::uint64_t number_operation();
    /// How long tasks took.
    histogram run_time() const;

private:
    template <class F>
    void tell(F&& how) const;
    static trace_event worker_event(bool ready) noexcept;

    mutable std::mutex mutex_; // held while observers are told: one call at a time
    std::vector<std::weak_ptr<pool_observer>> observers_;
    std::vector<const task*> running_;
    live_histogram run_time_;
    std::uint64_t operations_ = 0, tasks_ = 0;
    bool ready_ = false;
};

/// A task, from its begin to its end.
class inline_events::task
{
public:
    task(inline_events& to, std::uint64_t operation, std::uint64_t index, const class operation& op);
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    /// Ends it as one that nobody waits for any more, if it has not ended.
    ~task() { end(trace_outcome::cancelled); }

    void end(trace_outcome how) noexcept;

private:
    friend class inline_events;

    inline_events& to_;
    const class operation& op_;
    const int thread_ = ::gettid();
    trace_event event_{}; // that of its begin, then of its end
    bool over_ = false;
};

template <class F>
void inline_events::tell(F&& how) const
{
    for (const auto& each : observers_)
        if (const auto observer = each.lock())
            how(*observer);
}

inline trace_event inline_events::worker_event(bool ready) noexcept
{
    trace_event event{};
    event.what = ready ? trace_event::worker_ready : trace_event::worker_gone;
    event.when = clock::now();
    return event;
}

inline void inline_events::observe(std::weak_ptr<pool_observer> observer)
{
    std::lock_guard lock(mutex_);
    const auto newcomer = observer.lock();
    if (!newcomer)
        return;
    std::erase_if(observers_, [](const auto& each) { return each.expired(); });
    observers_.push_back(std::move(observer));
    if (ready_)
        newcomer->happened(worker_event(true));
    for (const task* each : running_)
        newcomer->happened(each->event_);
}

inline void inline_events::set_ready(bool ready)
{
    std::lock_guard lock(mutex_);
    if (std::exchange(ready_, ready) != ready)
        tell([event = worker_event(ready)](pool_observer& to) { to.happened(event); });
}

inline bool inline_events::ready() const
{
    std::lock_guard lock(mutex_);
    return ready_;
}

inline void inline_events::task_failed(std::uint64_t index, const operation_traits& traits, trace_outcome how,
                                       const std::exception_ptr& error)
{
    std::lock_guard lock(mutex_);
    if (observers_.empty())
        return;
    const observed_failure failure{.index = index,
                                   .how = how,
                                   .label = traits.options.label,
                                   .tenant = traits.options.tenant,
                                   .placed = true,
                                   .error = error};
    tell([&](pool_observer& to) { to.failed(failure); });
}

inline std::vector<dumped_worker> inline_events::busy() const
{
    std::vector<dumped_worker> all;
    std::lock_guard lock(mutex_);
    for (const task* each : running_) {
        auto worker = std::ranges::find(all, each->thread_, &dumped_worker::thread);
        if (worker == all.end()) {
            all.push_back({.pid = ::getpid(), .thread = each->thread_, .stack = stack_of_thread(each->thread_)});
            worker = all.end() - 1;
        }
        dumped_task one{
            .index = each->event_.first, .function = each->op_.function_types(), .since = each->event_.when};
        if (each->event_.label)
            one.label = each->event_.label;
        worker->tasks.push_back(std::move(one));
    }
    return all;
}

inline std::uint64_t inline_events::number_operation()
{
    std::lock_guard lock(mutex_);
    return ++operations_;
}

inline histogram inline_events::run_time() const
{
    std::lock_guard lock(mutex_);
    return run_time_.snapshot();
}

inline inline_events::task::task(inline_events& to, std::uint64_t operation, std::uint64_t index,
                                 const class operation& op)
    : to_(to), op_(op)
{
    const operation_traits& traits = op.traits();
    event_.what = trace_event::chunk_begun;
    event_.when = clock::now();
    event_.operation = operation;
    event_.first = index;
    event_.count = 1;
    event_.coroutine = traits.coroutine;
    event_.label = traits.options.label;
    event_.trace_parent = traits.options.trace_parent;
    event_.tenant = traits.options.tenant;
    std::lock_guard lock(to_.mutex_);
    event_.chunk = ++to_.tasks_;
    to_.running_.push_back(this);
    to_.tell([&](pool_observer& observer) { observer.happened(event_); });
}

inline void inline_events::task::end(trace_outcome how) noexcept
{
    if (std::exchange(over_, true))
        return;
    std::lock_guard lock(to_.mutex_);
    std::erase(to_.running_, this);
    const auto now = clock::now();
    event_.what = trace_event::chunk_ended;
    event_.took = now - event_.when;
    event_.when = now;
    event_.failed = how == trace_outcome::failed || how == trace_outcome::timed_out;
    event_.outcome = how;
    to_.run_time_.record(event_.took);
    to_.tell([&](pool_observer& observer) { observer.happened(event_); });
}

} // namespace twat::mp::detail

#endif
