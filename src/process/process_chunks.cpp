// SPDX-License-Identifier: BSL-1.0
// What the engine asks of worker processes about chunks: each is asked of the worker that holds it.
#include "process/process_workers.hpp"

namespace twat::mp::detail {

std::shared_ptr<worker_process> process_workers_set::find(worker_id id) const noexcept
{
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

void process_workers_set::submit(worker_id id, const chunk& work)
{
    if (const auto worker = find(id)) {
        worker->submit(work);
        touch(*worker);
    }
}

std::shared_ptr<buffer_memory> process_workers_set::memory(worker_id id) const
{
    const auto worker = find(id);
    return worker ? worker->memory() : nullptr;
}

std::optional<std::size_t> process_workers_set::recall(worker_id id, chunk_id chunk)
{
    const auto worker = find(id);
    if (!worker)
        return 0;
    const std::size_t kept = worker->recall(chunk);
    diary_.recalled(worker->identity(), chunk, kept);
    return kept;
}

void process_workers_set::cancel(worker_id id, chunk_id chunk)
{
    if (const auto worker = find(id)) {
        diary_.cancelled(worker->identity(), chunk);
        worker->cancel(chunk);
        touch(*worker);
    }
}

std::optional<backend::running_task> process_workers_set::running(worker_id id, chunk_id chunk) const
{
    const auto worker = find(id);
    return worker ? worker->running(chunk) : std::nullopt;
}

void process_workers_set::take_reports(worker_id id, const std::function<void(task_report&&)>& f)
{
    if (const auto worker = find(id))
        worker->take_reports(f);
}

std::optional<backend::chunk_times> process_workers_set::times(worker_id id, chunk_id chunk) const
{
    const auto worker = find(id);
    return worker ? worker->times(chunk) : std::nullopt;
}

stacktrace process_workers_set::ask_for_stack(worker_id id, chunk_id chunk)
{
    const auto worker = find(id);
    return worker ? worker->ask_for_stack(chunk) : stacktrace();
}

parcel process_workers_set::parcel_of(worker_id id, chunk_id chunk, std::size_t position)
{
    const auto worker = find(id);
    return worker && settings_.parcels->options().timeouts ? worker->parcel_of(chunk, position) : parcel();
}

void process_workers_set::abandon(worker_id id, chunk_id chunk)
{
    if (const auto worker = find(id)) {
        worker->abandon(chunk);
        touch(*worker);
    }
}

} // namespace twat::mp::detail
