// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_START_WORKER_CONTEXT_HPP
#define TWAT_MP_SRC_START_WORKER_CONTEXT_HPP

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>

#include "start/report_board.hpp"
#include "start/running_task.hpp"

namespace twat::mp::detail {

class operation;
class thread_life;
struct coroutine_task;
class worker_state_base;

/// Is told that a task has reported.
class report_hook
{
public:
    virtual void reported() = 0;

protected:
    ~report_hook() = default;
};

/// A task whose stop token is made when it is asked for, as most never are.
class stoppable_task
{
public:
    /// The thread that runs it.
    virtual std::stop_token stop_token() = 0;

protected:
    ~stoppable_task() = default;
};

/** What `this_worker` and `this_task` answer from. A worker thread sets its own with `enter_worker`. */
struct worker_context
{
    std::size_t index = 0;
    boost::asio::any_io_executor executor;
    /// The plain task that runs; null between tasks and in coroutine tasks.
    const std::stop_source* stop = nullptr;
    stoppable_task* stoppable = nullptr; ///< Threads, in its place.
    bool stop_asked_for = false;         ///< A task has its token. Set only.
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    /// The pool_core whose task the thread runs; null in processes.
    const void* pool = nullptr;
    const operation* running = nullptr;           ///< Threads: whose plain task runs; null in coroutine tasks.
    coroutine_task* coroutine = nullptr;          ///< The one on the CPU; see `on_cpu_scope`.
    std::atomic<std::uint64_t>* on_cpu = nullptr; ///< Processes: where the parent finds its `mark`.
    thread_life* life = nullptr;                  ///< Threads: of the calling one.
    running_task task;                            ///< The plain task that runs.
    task_random random;                           ///< Its random numbers.
    std::shared_ptr<worker_state_base> state{};   ///< See `worker_state`.
    report_board* board = nullptr;                ///< Where its tasks report.
    report_hook* reported = nullptr;              ///< In line: is told of each report.
    const worker_context* outer = nullptr; ///< Threads: of the task that waits for this one's operation meanwhile.
};

/// Of the calling thread; null outside workers.
worker_context* current_worker() noexcept;
/// Makes `context` the calling thread's (null: none) and returns the one before.
worker_context* enter_worker(worker_context* context) noexcept;
/// Destroys the calling worker's state.
void drop_state() noexcept;
/// When the task that the calling thread runs has to be done; `time_point::max()` outside tasks and without a limit.
std::chrono::steady_clock::time_point task_deadline() noexcept;
/// Processes: what threads answer from that have no context of their own (threads that a task made).
void set_process_worker(worker_context* context) noexcept;

} // namespace twat::mp::detail

#endif
