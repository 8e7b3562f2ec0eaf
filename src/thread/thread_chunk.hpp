// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_THREAD_THREAD_CHUNK_HPP
#define TWAT_MP_SRC_THREAD_THREAD_CHUNK_HPP

#include <twat/mp/pool_dump.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "backend/backend.hpp"
#include "backend/chunk.hpp"
#include "start/worker_context.hpp"

namespace twat::mp::detail {

/** A chunk as a worker thread holds it.

    Each task is either begun by the thread or taken back by the strand: see `task_gate`.
*/
class thread_chunk final : public stoppable_task
{
public:
    explicit thread_chunk(const chunk& work)
        : id(work.id), first(work.first), coroutine(work.coroutine), timeout(work.timeout), deadline(work.deadline),
          seed(work.seed), op_id(work.op_id), attempt(work.attempt), measured(work.measured), chaos(work.chaos),
          reports(work.reports), work_(work.shared_from_this()), gate_(work.count)
    {}

    const chunk_id id;
    const std::uint64_t first;
    const bool coroutine;
    const duration timeout;
    const time_point deadline;
    const std::uint64_t seed;
    const std::uint64_t op_id;
    const std::size_t attempt;
    const bool measured;
    const std::shared_ptr<const chaos_plan> chaos;
    const bool reports;

    /// By how much the result of a task is late on purpose.
    duration late_by(std::size_t position) const noexcept
    {
        return chaos->of_task(op_id, first + position, attempt).late;
    }

    /// Thread, after it claimed a task.
    operation& op() const noexcept { return *work_->op; }
    payload& tasks() const noexcept { return *work_->tasks; }

    /// Thread: every task is begun through it.
    task_gate& gate() noexcept { return gate_; }

    struct recalled
    {
        std::size_t kept; ///< Tasks that were begun.
        /// None was, and this call is the one that took them all: the thread will not touch the chunk.
        bool ended;
    };

    /// Any thread: takes back what was not begun.
    recalled recall() noexcept
    {
        const auto [begun, first] = gate_.close();
        return {begun, begun == 0 && first};
    }

    /// Strand, after `recall` ended the chunk: lets go of it, while the thread's queue still holds this.
    void release() noexcept { work_.reset(); }

    /// Thread: stamps the beginning and the end of a task. Only chunks with a timeout are looked at.
    void begin_task(std::size_t position, time_point now) noexcept
    {
        if (timeout == duration::zero())
            return;
        position_.store(position, std::memory_order_release);
        begun_at_.store(now.time_since_epoch().count(), std::memory_order_release);
    }
    void end_task() noexcept
    {
        if (timeout != duration::zero())
            begun_at_.store(0, std::memory_order_release);
    }

    /// Thread: comes to the chunk, and later has its last outcome.
    void begin(time_point now) noexcept { since_.store(now.time_since_epoch().count(), std::memory_order_release); }
    void end(time_point now) noexcept { until_.store(now.time_since_epoch().count(), std::memory_order_release); }

    /// Strand: see `backend::times`.
    std::optional<backend::chunk_times> times() const noexcept
    {
        const auto since = since_.load(std::memory_order_acquire), until = until_.load(std::memory_order_acquire);
        if (since == 0)
            return std::nullopt;
        backend::chunk_times times{time_point(time_point::duration(since)), std::nullopt};
        if (until != 0)
            times.until = time_point(time_point::duration(until));
        return times;
    }

    /// Strand: the task that runs now.
    std::optional<backend::running_task> running() const noexcept
    {
        for (;;) {
            const auto begun_at = begun_at_.load(std::memory_order_acquire);
            if (begun_at == 0)
                return std::nullopt;
            const auto position = position_.load(std::memory_order_acquire);
            // Another task may have begun between the two loads.
            if (begun_at_.load(std::memory_order_acquire) == begun_at)
                return backend::running_task{position, time_point(time_point::duration(begun_at))};
        }
    }

    /// Strand: the task that was begun last. @pre Not released. @param times Of this chunk.
    dumped_task dump(const backend::chunk_times& times) const
    {
        const std::size_t begun = gate_.begun();
        dumped_task task{.index = first + (begun == 0 ? 0 : std::min(begun, work_->count) - 1),
                         .function = op().function_types(),
                         .since = times.since};
        if (const auto now = running()) {
            task.index = first + now->position;
            task.since = now->begun;
        }
        if (const char* label = op().traits().options.label)
            task.label = label;
        return task;
    }

    /// Thread: comes to the task at `position`.
    void begin_stoppable(std::size_t position)
    {
        if (!stop_requested())
            return;
        // A request from before this task was begun was meant for another one.
        std::lock_guard lock(stop_mutex_);
        if (stop_below_ > position)
            return;
        stop_ = std::stop_source(std::nostopstate);
        stop_requested_ = false;
    }

    bool stop_requested() const noexcept { return stop_requested_; }

    /// Thread: of the task that runs.
    std::stop_token stop_token() override
    {
        std::lock_guard lock(stop_mutex_);
        if (!stop_.stop_possible()) {
            stop_ = std::stop_source();
            if (stop_requested_)
                stop_.request_stop();
        }
        return stop_.get_token();
    }

    /// Any thread: asks the running task to stop. Runs its stop callbacks.
    void request_stop()
    {
        std::unique_lock lock(stop_mutex_);
        stop_below_ = gate_.begun();
        stop_requested_ = true;
        std::stop_source stop = stop_;
        lock.unlock();
        stop.request_stop();
    }

    /// Strand: the engine no longer wants to hear of it.
    bool abandoned = false;

private:
    std::shared_ptr<const chunk> work_;
    task_gate gate_;
    std::atomic<std::size_t> position_{0};
    std::atomic<time_point::rep> begun_at_{0};
    std::atomic<time_point::rep> since_{0}, until_{0};
    std::mutex stop_mutex_;
    // Changed by the thread under the mutex, copied by others under it; made when a task wants it.
    std::stop_source stop_{std::nostopstate};
    std::atomic<bool> stop_requested_{false};
    std::size_t stop_below_ = 0; // tasks that were begun when a stop was last requested
};

} // namespace twat::mp::detail

#endif
