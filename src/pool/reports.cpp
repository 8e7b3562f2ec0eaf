// SPDX-License-Identifier: BSL-1.0
// What the workers report. Nothing of it means anything once the pool's last user has gone.
#include "pool/pool.hpp"

#include <utility>

namespace twat::mp::detail {

void pool::worker_started(worker_id worker)
{
    if (!released_)
        engine_->worker_started(worker);
}

void pool::worker_ready(worker_id worker)
{
    if (!released_)
        engine_->worker_ready(worker);
}

void pool::worker_grew(worker_id worker)
{
    if (!released_)
        engine_->worker_grew(worker);
}

void pool::worker_gone(worker_id worker, const worker_loss& loss)
{
    if (!released_)
        engine_->worker_gone(worker, loss);
}

void pool::task_used(worker_id worker, chunk_id id, std::size_t position, const task_usage& measured)
{
    if (!released_)
        engine_->task_used(worker, id, position, measured);
}

void pool::task_finished(worker_id worker, chunk_id id, std::size_t position, decoder* value)
{
    if (!released_)
        engine_->task_finished(worker, id, position, value);
}

void pool::task_decoded(worker_id worker, chunk_id id, std::size_t position, decoded_result& value, std::size_t size)
{
    if (!released_)
        engine_->task_decoded(worker, id, position, value, size);
}

void pool::tasks_finished(worker_id worker, chunk_id id, std::size_t position, std::size_t count,
                          const encoded_values* values)
{
    if (!released_)
        engine_->tasks_finished(worker, id, position, count, values);
}

void pool::task_failed(worker_id worker, chunk_id id, std::size_t position, std::exception_ptr error)
{
    if (!released_)
        engine_->task_failed(worker, id, position, std::move(error));
}

void pool::recalled(worker_id worker, chunk_id id, std::size_t kept)
{
    if (!released_)
        engine_->recalled(worker, id, kept);
}

void pool::unusable(const std::function<std::exception_ptr()>& cause, time_point before)
{
    if (released_)
        return;
    engine_->unusable(cause, before);
    waiters_.complete_starts(cause);
}

void pool::chunk_ended(worker_id worker, chunk_id id, duration busy)
{
    if (!released_)
        engine_->chunk_ended(worker, id, busy);
}

void pool::chunk_lost(worker_id worker, chunk_id id, const worker_loss& loss)
{
    if (!released_)
        engine_->chunk_lost(worker, id, loss);
}

void pool::nodes_changed(std::size_t nodes)
{
    if (released_)
        return;
    nodes_ = nodes;
    workers_->resize(nodes);
    engine_->resize(nodes);
}

void pool::chunk_taken(worker_id worker, chunk_id id, const chunk_taker& taker)
{
    if (!released_)
        engine_->chunk_taken(worker, id, taker);
}

void pool::hosts_changed(std::vector<host_stats> hosts) { counts_.publish_hosts(std::move(hosts)); }

void pool::decide()
{
    if (!released_)
        settle();
}

} // namespace twat::mp::detail
