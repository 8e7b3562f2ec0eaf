// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_RECYCLING_HPP
#define TWAT_MP_SRC_ENGINE_RECYCLING_HPP

#include <cstddef>
#include <cstdint>
#include <random>

#include "engine/state.hpp"
#include "engine/watch.hpp"

namespace twat::mp::detail {

/** Decides when a worker has run or lived for long enough that its successor is asked for.

    That is somewhat before the bound, for each at a moment of its own: until the successor is ready the worker goes on, if need be up to the
    bound. Few are replaced at a time, as all may be as old as each other, and twice as many workers could be too much for the machine.
*/
class recycling
{
public:
    struct bounds
    {
        std::size_t max_tasks_per_child = 0; ///< 0: as many as come.
        duration max_age_per_child{};        ///< Zero: for ever.
        double jitter = 0;                   ///< By which part of them, at most, it is sooner.
        std::uint32_t seed = 1;
    };

    explicit recycling(const bounds& b) : bounds_(b), random_(b.seed) {}

    /// The worker is ready.
    void plan(ready_worker& worker, time_point now);
    /// Its successor is asked for, or it leaves.
    void forget(ready_worker& worker) noexcept { ages_.clear(worker.age); }

    /// Whether so many may have a successor under way, and one more.
    static bool may_recycle_another(std::size_t recycling, std::size_t nodes) noexcept;
    /// The next worker that is old enough; null: none.
    ready_worker* take_due(time_point now) noexcept { return ages_.take_due(now); }
    time_point next() const noexcept { return ages_.next(); }

private:
    const bounds bounds_;
    watch<ready_worker> ages_;
    std::minstd_rand random_;
};

} // namespace twat::mp::detail

#endif
