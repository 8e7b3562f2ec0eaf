// SPDX-License-Identifier: BSL-1.0
#include "engine/accounts.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace twat::mp::detail {
namespace {

// What a task is thought to take that nobody has measured one like. Whatever it is, it is put right when the task has ended.
constexpr double unknown_task = 1e3;
// The least that a task counts: a tenant whose tasks take no time at all still takes turns with the others.
constexpr double least_task = 100;
// How much of the average the last chunk makes.
constexpr double newest = 0.25;

void average(double& so_far, double now) noexcept { so_far = so_far < 0 ? now : so_far + (now - so_far) * newest; }

} // namespace

tenant_state& accounts::set(tenant_id id, const tenant_options& options)
{
    tenant_state& tenant = tenants_.set(id, options);
    hold_back(tenant);
    return tenant;
}

// Whether what waits of the tenant gets turns.
void accounts::hold_back(tenant_state& tenant) noexcept
{
    for (const priority prio : {priority::high, priority::normal, priority::low})
        queue_.hold_back(tenant.at(prio), prio, tenant.at_bound());
}

// A worker gets a chunk. Only afterwards it is known how long it takes: until then, as long as others did.
void accounts::charge(given_chunk& held)
{
    operation_state& op = *held.owner;
    tenant_state& tenant = *op.tenant;
    held.payer = &tenant;
    held.prio = op.prio;
    ++tenant.chunks;
    held.running = true;
    ++tenant.running;
    if (tenant.counters)
        tenant.counters->add_running(1);
    if (tenant.at_bound())
        hold_back(tenant);

    const auto count = static_cast<double>(held.work->count);
    if (const auto own = op.sizes.estimate(held.work->count))
        held.charged = static_cast<double>(own->count());
    else
        held.charged = count * (tenant.per_task >= 0 ? tenant.per_task : per_task_ >= 0 ? per_task_ : unknown_task);
    if (held.work->coroutine)
        held.charged /= child_concurrency_;
    held.charged = std::max(held.charged, count * least_task);
    queue_.serve(op.place(), op.prio, held.charged / static_cast<double>(tenant.options.weight));
}

// So many tasks of a chunk were taken back, and will be charged when they are handed out again.
void accounts::refund(given_chunk& held, std::size_t tasks) noexcept
{
    if (!held.payer)
        return;
    const double part = held.charged * static_cast<double>(tasks) / static_cast<double>(held.work->count);
    held.charged -= part;
    queue_.charge(held.payer->at(held.prio), -part / static_cast<double>(held.payer->options.weight));
}

// The chunk is over: so long a worker was at so many of its tasks. Only the first time.
bool accounts::settle(given_chunk& held, duration used, std::size_t tasks) noexcept
{
    if (!held.payer)
        return false;
    const bool gets_turns = no_longer_runs(held);
    tenant_state& tenant = *std::exchange(held.payer, nullptr);
    double had = std::max(0.0, static_cast<double>(used.count()));
    if (tasks != 0) {
        average(tenant.per_task, had / static_cast<double>(tasks));
        average(per_task_, had / static_cast<double>(tasks));
    }
    if (held.work->coroutine)
        had /= child_concurrency_;
    if (tenant.counters)
        tenant.counters->add_worker_time(static_cast<std::uint64_t>(had));
    had = std::max(had, static_cast<double>(tasks) * least_task);
    queue_.charge(tenant.at(held.prio), (had - held.charged) / static_cast<double>(tenant.options.weight));
    --tenant.chunks;
    tenants_.release(tenant);
    return gets_turns;
}

// None of the chunk's tasks runs any more.
bool accounts::no_longer_runs(given_chunk& held) noexcept
{
    if (!std::exchange(held.running, false))
        return false;
    tenant_state& tenant = *held.payer;
    const bool was_held_back = tenant.at_bound();
    --tenant.running;
    if (tenant.counters)
        tenant.counters->add_running(-1);
    if (!was_held_back || tenant.at_bound())
        return false;
    hold_back(tenant);
    return true;
}

} // namespace twat::mp::detail
