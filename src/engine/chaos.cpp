// SPDX-License-Identifier: BSL-1.0
// The engine's part in faults that are made on purpose: it refuses, and counts what the workers do.
#include "engine/engine.hpp"

#include <twat/mp/detail/exception/make_error.hpp>

namespace twat::mp::detail {

void engine::count_start(worker_id worker) noexcept
{
    totals_.chaos.slow_starts += settings_.chaos->slow_start(worker) != duration::zero();
}

bool engine::refused_by_chaos(operation_state& op)
{
    if (!settings_.chaos->refuses(op.id))
        return false;
    ++totals_.chaos.refusals;
    refuse(op, make_error(errc::queue_full, "refused on purpose (pool_options::chaos or TWAT_MP_CHAOS)"));
    return true;
}

void engine::count_late(const given_chunk& held, std::size_t position, std::size_t count) noexcept
{
    const chunk& work = *held.work;
    for (std::size_t i = position; settings_.chaos->touches_tasks() && i != position + count; ++i)
        totals_.chaos.delays +=
            settings_.chaos->of_task(work.op_id, work.first + i, work.attempt).late != duration::zero();
}

// A task that its worker died in.
void engine::count_kill(const given_chunk& held, std::size_t position) noexcept
{
    const chunk& work = *held.work;
    totals_.chaos.kills +=
        settings_.chaos->of_task(work.op_id, work.first + position, work.attempt).kill != kill_moment::never;
}

} // namespace twat::mp::detail
