// SPDX-License-Identifier: BSL-1.0
#include "thread/thread_workers.hpp"

#include <unistd.h>

#include <utility>

#include "thread/thread_workers_state.hpp"

namespace twat::mp::detail {

thread_workers_set::thread_workers_set(pool_strand strand, std::shared_ptr<strand_link> link,
                                       const pool_options& options, backend_events& events)
    : shared_(std::make_shared<shared_state>(*this, std::move(link), options, &events)), options_(options),
      events_(events), pid_(::getpid()), strand_(std::move(strand))
{}

const capabilities& thread_workers_set::can() const noexcept
{
    static constexpr capabilities can{.local = true};
    return can;
}

thread_workers_set::~thread_workers_set()
{
    if (::getpid() != pid_) {
        // A forked child has none of the threads, and perhaps a mutex that one of them held. Leave all as it is.
        new std::map<worker_id, node>(std::move(workers_));
        new std::vector<std::thread>(std::move(ended_));
        return;
    }
    {
        std::lock_guard lock(shared_->mutex);
        shared_->set = nullptr;
    }
    halt();
    if (inside()) {
        // Called by a task: its thread cannot wait for itself. What the threads still use they own.
        for (auto& [id, node] : workers_)
            if (node.thread.joinable())
                node.thread.detach();
        for (auto& thread : ended_)
            thread.detach();
    }
}

/// A worker or a guest; null: it is gone.
thread_worker* thread_workers_set::on_strand(worker_id worker) const noexcept
{
    if (const auto found = workers_.find(worker); found != workers_.end())
        return found->second.worker.get();
    const auto guest = guests_.find(worker);
    return guest == guests_.end() ? nullptr : guest->second.get();
}

void thread_workers_set::submit(worker_id worker, const chunk& work)
{
    if (const auto to = on_strand(worker))
        to->submit(work);
}

std::optional<std::size_t> thread_workers_set::recall(worker_id worker, chunk_id id)
{
    const auto from = on_strand(worker);
    if (!from)
        return 0;
    const auto [kept, ended] = from->recall(id);
    // The thread may be busy with another chunk for long: it need not be asked.
    if (ended)
        shared_state::post(shared_, [worker, id](thread_workers_set& self) { self.tell_ended(worker, id); });
    return kept;
}

void thread_workers_set::tell_ended(worker_id worker, chunk_id id)
{
    const auto from = on_strand(worker);
    if (!from || silent_)
        return;
    from->forget(id);
    events_.chunk_ended(worker, id, duration::zero());
    events_.decide();
}

void thread_workers_set::cancel(worker_id worker, chunk_id id)
{
    if (const auto to = on_strand(worker))
        to->cancel(id);
}

std::optional<backend::running_task> thread_workers_set::running(worker_id worker, chunk_id id) const
{
    const auto of = on_strand(worker);
    return of ? of->running(id) : std::nullopt;
}

void thread_workers_set::take_reports(worker_id worker, const std::function<void(task_report&&)>& f)
{
    if (const auto of = on_strand(worker))
        of->take_reports(f);
}

std::optional<backend::chunk_times> thread_workers_set::times(worker_id worker, chunk_id id) const
{
    const auto of = on_strand(worker);
    return of ? of->times(id) : std::nullopt;
}

void thread_workers_set::abandon(worker_id worker, chunk_id id)
{
    if (const auto by = on_strand(worker))
        by->abandon(id);
}

std::vector<dumped_worker> thread_workers_set::dump()
{
    std::vector<dumped_worker> busy;
    std::lock_guard lock(mutex_);
    for (const auto& [id, node] : workers_)
        if (auto dumped = node.worker->dump())
            busy.push_back(std::move(*dumped));
    return busy;
}

worker_set::identity thread_workers_set::identify(worker_id worker) const
{
    const auto known = on_strand(worker);
    return {.node = known ? known->index() : 0};
}

thread_worker::report_function thread_workers_set::reporter(worker_id worker) const
{
    return [shared = shared_, worker](chunk_report report) {
        const bool ended = report.ended;
        auto tell = [worker, report = std::move(report)](thread_workers_set& self) mutable {
            self.on_report(worker, report);
        };
        if (ended)
            shared_state::post_and_run(shared, std::move(tell));
        else
            shared_state::post(shared, std::move(tell));
    };
}

void thread_workers_set::on_report(worker_id worker, chunk_report& report)
{
    const auto by = on_strand(worker);
    if (!by)
        return;
    const chunk_id id = report.held->id;
    if (silent_ || report.held->abandoned) {
        if (report.ended)
            by->forget(id);
        return;
    }
    std::size_t position = report.begin;
    for (std::size_t i = 0; i != report.used.size(); ++i)
        events_.task_used(worker, id, report.begin + i, report.used[i]);
    const auto finished_up_to = [&](std::size_t end) {
        if (position != end)
            events_.tasks_finished(worker, id, position, end - position, nullptr);
    };
    for (failed_task& failure : report.failures) {
        finished_up_to(failure.position);
        events_.task_failed(worker, id, failure.position, std::move(failure.error));
        position = failure.position + 1;
    }
    finished_up_to(report.end);
    report.held.reset();
    if (report.ended) {
        by->forget(id);
        events_.chunk_ended(worker, id, report.busy);
    }
    events_.decide();
}

std::unique_ptr<worker_set> make_thread_workers(pool_strand strand, std::shared_ptr<strand_link> link,
                                                const pool_options& options, backend_events& events)
{
    return std::make_unique<thread_workers_set>(std::move(strand), std::move(link), options, events);
}

} // namespace twat::mp::detail
