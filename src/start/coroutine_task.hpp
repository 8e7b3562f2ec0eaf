// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_COROUTINE_TASK_HPP
#define TWAT_MP_SRC_START_COROUTINE_TASK_HPP

#include <chrono>
#include <cstdint>
#include <deque>
#include <stop_token>
#include <vector>

#include "start/worker_context.hpp"
#include "usage/task_meter.hpp"

namespace twat::mp::detail {

/** What a worker knows of a coroutine task from its start to its end; `this_task` answers from the one on the CPU.

    Executors refer to it (see `task_executor`), and may be kept for longer than the task runs. So the object stays where it is, is used
    for one task after another, and `life` tells them apart. Only the thread of the worker's loop looks into it.
*/
struct coroutine_task
{
    worker_context* worker = nullptr;
    std::uint64_t life = 0; ///< Changes when the task ends.
    std::uint64_t mark = 0; ///< What `worker_context::on_cpu` holds while the task is on the CPU.
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    std::stop_source stop{std::nostopstate}; ///< Made when the task asks for its token: few do.
    bool cancelled = false;
    running_task running;
    task_random random;
    task_meter* meter = nullptr; ///< Set while it is measured.

    std::stop_token stop_token();
    void cancel();
};

/** As long as it lives, the task is the one on the CPU of its worker's loop; then what was before.

    Not so if an exception passes that nothing on the loop catches: it ends the process, whose last mark is that of the culprit.
*/
class on_cpu_scope
{
public:
    explicit on_cpu_scope(coroutine_task& task) noexcept : worker_(*task.worker), before_(worker_.coroutine)
    {
        put(&task);
    }
    on_cpu_scope(const on_cpu_scope&) = delete;
    on_cpu_scope& operator=(const on_cpu_scope&) = delete;
    ~on_cpu_scope()
    {
        if (returned_ || before_)
            put(before_);
    }

    void returned() noexcept { returned_ = true; }

private:
    void put(coroutine_task* next) noexcept
    {
        if (worker_.coroutine && worker_.coroutine->meter)
            worker_.coroutine->meter->pause();
        worker_.coroutine = next;
        if (next && next->meter)
            next->meter->resume();
        if (worker_.on_cpu)
            worker_.on_cpu->store(next ? next->mark : 0, std::memory_order_release);
    }

    worker_context& worker_;
    coroutine_task* const before_;
    bool returned_ = false;
};

/// Calls `f` with the task on the CPU.
template <class F>
void run_on_cpu(coroutine_task& task, F&& f)
{
    on_cpu_scope scope(task);
    f();
    scope.returned();
}

/** The `coroutine_task`s of one worker, as many as ever ran at once. Outlives the io_context on which they run. */
class coroutine_places
{
public:
    coroutine_task& take(worker_context& worker);
    /// The task has ended: what it has left on the loop is nobody's from now on.
    void give_back(coroutine_task& task) noexcept;

private:
    std::deque<coroutine_task> all_;
    std::vector<coroutine_task*> free_;
};

} // namespace twat::mp::detail

#endif
