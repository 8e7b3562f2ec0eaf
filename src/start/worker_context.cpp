// SPDX-License-Identifier: BSL-1.0
#include "start/worker_context.hpp"

#include <twat/mp/worker.hpp>

#include <stdexcept>

#include "start/coroutine_task.hpp"
#include "start/task_executor.hpp"

namespace twat::mp {
namespace detail {
namespace {

thread_local worker_context* thread_worker = nullptr;
worker_context* process_worker = nullptr;

const worker_context& required()
{
    const worker_context* context = current_worker();
    if (!context)
        throw std::logic_error("twat::mp::this_worker was asked outside a worker");
    return *context;
}

} // namespace

worker_context* current_worker() noexcept { return thread_worker ? thread_worker : process_worker; }

worker_context* enter_worker(worker_context* context) noexcept { return std::exchange(thread_worker, context); }

std::chrono::steady_clock::time_point task_deadline() noexcept
{
    const auto* context = thread_worker;
    if (!context)
        return std::chrono::steady_clock::time_point::max();
    return context->coroutine ? context->coroutine->deadline : context->deadline;
}

namespace {

/// The task that the calling thread runs, and where its random numbers are; nulls outside tasks.
struct here
{
    running_task* task = nullptr;
    task_random* random = nullptr;
    worker_context* worker = nullptr;
};

here task_here() noexcept
{
    worker_context* const context = thread_worker;
    if (!context)
        return {};
    if (coroutine_task* const coroutine = context->coroutine)
        return {&coroutine->running, &coroutine->random, context};
    return context->task.chunk == 0 ? here{} : here{&context->task, &context->random, context};
}

} // namespace

block_scope::block_scope(std::uint64_t first, const std::size_t& done) noexcept : place_{first, &done}
{
    if (running_task* const task = task_here().task)
        task->block = &place_;
}

// A coroutine that was never finished is destroyed wherever its loop is.
block_scope::~block_scope()
{
    if (running_task* const task = task_here().task; task && task->block == &place_)
        task->block = nullptr;
}

void set_process_worker(worker_context* context) noexcept { process_worker = context; }

} // namespace detail

namespace this_worker {

bool is_worker() noexcept { return detail::current_worker() != nullptr; }

std::size_t index() noexcept
{
    const auto* context = detail::current_worker();
    return context ? context->index : 0;
}

asio::any_io_executor executor()
{
    const auto& context = detail::required();
    // What a coroutine task puts on its worker's loop is its own. (Threads that a task made must not look.)
    if (&context == detail::thread_worker && context.coroutine)
        if (const auto* loop = context.executor.target<asio::io_context::executor_type>())
            return detail::task_executor(*loop, *context.coroutine);
    return context.executor;
}

} // namespace this_worker

namespace this_task {

std::stop_token stop_token() noexcept
{
    auto* const context = detail::thread_worker;
    if (context && context->coroutine)
        return context->coroutine->stop_token();
    if (context && context->stoppable)
        return context->stoppable->stop_token();
    if (!context || !context->stop)
        return {};
    context->stop_asked_for = true;
    return context->stop->get_token();
}

duration remaining() noexcept
{
    const auto deadline = detail::task_deadline();
    using clock = std::chrono::steady_clock;
    if (deadline == clock::time_point::max())
        return duration::max();
    return std::max(duration::zero(), duration(deadline - clock::now()));
}

std::uint64_t index() noexcept
{
    const detail::running_task* const task = detail::task_here().task;
    return task ? task->index() : 0;
}

void report(double fraction, std::string_view text)
{
    const auto [task, random, worker] = detail::task_here();
    if (!task || !task->reports || !worker->board)
        return;
    worker->board->write(task->operation, task->chunk, task->index(), detail::clamp_fraction(fraction), text);
    if (worker->reported)
        worker->reported->reported();
}

std::string trace_parent()
{
    const detail::running_task* const task = detail::task_here().task;
    return task && task->trace ? std::string(task->trace->text()) : std::string();
}

philox4x32& rng()
{
    const auto [task, random, worker] = detail::task_here();
    if (!task)
        throw std::logic_error("twat::mp::this_task::rng was called outside a task, or in a thread that a task made; "
                               "mp::philox4x32(seed, index) makes a generator anywhere");
    return random->of(*task);
}

} // namespace this_task
} // namespace twat::mp
