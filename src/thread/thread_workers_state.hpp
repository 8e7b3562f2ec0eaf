// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_THREAD_THREAD_WORKERS_STATE_HPP
#define TWAT_MP_SRC_THREAD_THREAD_WORKERS_STATE_HPP

#include <memory>
#include <mutex>
#include <utility>

#include "chaos/plan.hpp"
#include "thread/thread_workers.hpp"

namespace twat::mp::detail {

/// What the threads need, which may live longer than the set: see `thread_workers_set::~thread_workers_set`.
struct thread_workers_set::shared_state
{
    shared_state(thread_workers_set& set, std::shared_ptr<strand_link> link, const pool_options& options,
                 const void* pool)
        : link(std::move(link)), initializer(options.initializer), finalizer(options.finalizer), state(options.state),
          cancel_grace(options.cancel_grace), nice(options.nice), chaos(options.chaos), pool(pool), set(&set)
    {}

    /// Any thread: calls `f(set)` on the strand, unless the set is gone by then.
    template <class F>
    static void post(const std::shared_ptr<shared_state>& self, F f)
    {
        self->link->post([self, f = std::move(f)]() mutable { self->with_set(f); });
    }

    /// The same, where the calling thread has nothing more urgent to do than to run it.
    template <class F>
    static void post_and_run(const std::shared_ptr<shared_state>& self, F f)
    {
        self->link->post_and_run([self, f = std::move(f)]() mutable { self->with_set(f); });
    }

    template <class F>
    void with_set(F& f)
    {
        std::lock_guard lock(mutex);
        if (set)
            f(*set);
    }

    const std::shared_ptr<strand_link> link;
    const task initializer, finalizer;
    const state_factory state;
    const duration cancel_grace;
    const int nice;
    const chaos_plan chaos;
    const void* const pool;

    // The set may be destroyed by a thread that is not on the strand, or from inside a call that it made on the strand.
    std::recursive_mutex mutex;
    thread_workers_set* set;
};

} // namespace twat::mp::detail

#endif
