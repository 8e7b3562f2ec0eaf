// SPDX-License-Identifier: BSL-1.0
// The engine's parts, in groups: who may come in, who works, who gets what, and what comes due. Each part decides one thing and has state of
// its own; what several of them say together is said here.
#ifndef TWAT_MP_SRC_ENGINE_PARTS_HPP
#define TWAT_MP_SRC_ENGINE_PARTS_HPP

#include <algorithm>
#include <cstddef>

#include "backend/capabilities.hpp"
#include "engine/admission.hpp"
#include "engine/backlog.hpp"
#include "engine/elasticity.hpp"
#include "engine/engine_settings.hpp"
#include "engine/gate.hpp"
#include "engine/handout.hpp"
#include "engine/hedging.hpp"
#include "engine/idle_search.hpp"
#include "engine/listeners.hpp"
#include "engine/recycling.hpp"
#include "engine/retries.hpp"
#include "engine/roster.hpp"
#include "engine/task_clock.hpp"
#include "engine/worker_table.hpp"

namespace twat::mp::detail {

/// Which operations come in.
struct entrance
{
    explicit entrance(const engine_settings& s)
        : admission({.max_pending = s.max_pending,
                     .max_pending_bytes = s.max_pending_bytes,
                     .on_overflow = s.on_overflow,
                     .shed = s.shed})
    {}

    detail::gate gate;
    detail::admission admission;
};

/// Who works, and how many.
struct staff
{
    staff(const engine_settings& s, const capabilities& can)
        : roster({.nodes = s.nodes,
                  .min_nodes = s.min_nodes,
                  .idle_timeout = s.idle_timeout,
                  .start_timeout = s.start_timeout,
                  .restarts = s.restarts,
                  .starts_at_once = s.starts_at_once,
                  .can_kill = can.can_kill,
                  .launches = can.launches,
                  .seed = s.seed}),
          elasticity(roster, s.child_concurrency, can.launches && roster.kept() < s.nodes),
          recycling({.max_tasks_per_child = s.max_tasks_per_child,
                     .max_age_per_child = s.max_age_per_child,
                     .jitter = s.recycle_jitter,
                     .seed = s.seed})
    {}

    /// @param nodes That the pool has.
    bool may_recycle_another(std::size_t nodes) const noexcept
    {
        return detail::recycling::may_recycle_another(workers.counts().recycling(), nodes);
    }
    time_point next_due(std::size_t nodes) const noexcept
    {
        const time_point age = may_recycle_another(nodes) ? recycling.next() : time_point::max();
        return std::min({age, roster.next_due(), elasticity.grows_at(), elasticity.shrinks_at()});
    }

    worker_table workers;
    detail::roster roster;
    detail::elasticity elasticity;
    detail::recycling recycling;
};

/// Which worker gets what.
struct placement
{
    /// @param can Outlives this.
    placement(const engine_settings& s, const capabilities& can)
        : handout(can, {.child_concurrency = s.child_concurrency, .max_tasks_per_child = s.max_tasks_per_child}),
          idle_search(can.chunk_aim)
    {}

    detail::handout handout;
    detail::backlog backlog;
    detail::idle_search idle_search;
    chunk_id last_chunk = 0;
};

/// What comes due of tasks that run, or are to run again, and of what is left to do.
struct agenda
{
    agenda(const engine_settings& s, const capabilities& can)
        : clock(s.cancel_grace), retries(s.seed + 1), hedging(can.launches)
    {}

    time_point next() const noexcept
    {
        return std::min({next_turn, clock.next(), retries.next(), hedging.next(), listeners.next()});
    }

    task_clock clock;
    detail::retries retries;
    detail::hedging hedging;
    detail::listeners listeners;
    time_point next_turn = time_point::max(); ///< What is left to do once the loop's other handlers have had theirs.
};

} // namespace twat::mp::detail

#endif
