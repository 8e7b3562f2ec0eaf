// SPDX-License-Identifier: BSL-1.0
// The engine's part that sends the bills of tasks.
#include "engine/engine.hpp"

#include "usage/bill.hpp"

namespace twat::mp::detail {

bool engine::measures(const operation_state& op) const noexcept
{
    return settings_.measure_usage || op.traits().counts_usage;
}

void engine::task_used(worker_id worker, chunk_id id, std::size_t position, const task_usage& measured)
{
    ready_worker* const w = find(worker);
    given_chunk* const held = w ? find(*w, id) : nullptr;
    if (!held || !held->owner || position >= held->keep)
        return;
    operation_state& op = *held->owner;
    usage used = bill(measured, held->work->first + position, op.initiated);
    if (settings_.identify)
        settings_.identify(worker, used);
    timings_->labels.add(op.traits().options.label, used);
    if (op.tenant->counters)
        op.tenant->counters->add_cpu_time(static_cast<std::uint64_t>(used.cpu().count()));
    trace_usage(worker, *held, used);
    if (op.traits().counts_usage && !op.final_error) {
        op.used.push_back(used);
        touch(op);
    }
}

} // namespace twat::mp::detail
