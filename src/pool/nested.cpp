// SPDX-License-Identifier: BSL-1.0
// Nested parallelism on threads: a thread that blocks inside a task runs tasks of the call that it waits for, as a guest among the workers.
#include "pool/pool.hpp"

#include <future>
#include <utility>

#include "start/worker_context.hpp"

namespace twat::mp::detail {

bool pool::runs_task_here() const noexcept
{
    const worker_context* context = current_worker();
    return context && context->pool == static_cast<const void*>(static_cast<const backend_events*>(this));
}

bool pool::may_await_tasks_here(const operation& op) const noexcept
{
    const void* const here = static_cast<const backend_events*>(this);
    for (const worker_context* context = current_worker(); context; context = context->outer)
        if (context->pool == here && (!context->running || context->running == &op))
            return false;
    return true;
}

void pool::help(const std::shared_ptr<operation>& op, const std::function<bool()>& stop)
{
    check_process();
    std::promise<worker_id> made;
    const std::size_t node = current_worker()->index;
    enter([op, &made, node](pool& p) {
        const worker_id id = p.workers_->add_guest();
        p.audience_.name_guest(id, node);
        p.guests_.add(*op, id);
        p.engine_->add_guest(id, *op);
        made.set_value(id);
    });
    const worker_id id = made.get_future().get();
    workers_->run_guest(id, stop);
    guests_.remove(*op, id);
    enter([id](pool& p) { p.guests_.leave(id); });
}

void pool::wake_helpers(const std::shared_ptr<operation>& op) noexcept
{
    guests_.for_each(*op, [this](worker_id id) { workers_->wake_guest(id); });
}

void pool::settle_guests()
{
    guests_.let_go([this](worker_id id) {
        if (!engine_->remove_guest(id))
            return false;
        workers_->remove_guest(id);
        audience_.forget(id);
        return true;
    });
}

} // namespace twat::mp::detail
