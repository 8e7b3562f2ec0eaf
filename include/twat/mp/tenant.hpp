// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TENANT_HPP
#define TWAT_MP_TENANT_HPP

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>

#include <twat/mp/histogram.hpp>

namespace twat::mp {

/** Whose operation one is: a customer, a client's address, a job. Any number will do; 0, the default, is a tenant like the others. */
struct tenant_id
{
    std::uint64_t value = 0; ///< Any number that the program gives; 0: no tenant in particular.

    friend constexpr auto operator<=>(const tenant_id&, const tenant_id&) = default;
};

/** What a tenant may have of a pool; see `set_tenant` of the pools. */
struct tenant_options
{
    /// Its part of the workers' time, while others of the same priority wait too: with weights 3 and 1, three times as much. From 1 to 1000000.
    std::size_t weight = 1;
    /// Its operations that wait to begin, beyond which `pool_options::on_overflow` decides; 0: no bound of its own. Those that can begin at
    /// once do not count.
    std::size_t max_pending = 0;
    /// Its tasks at once, in all workers; 0: no bound. A task that was cancelled or ran out of time counts until its worker is rid of it. Threads
    /// that block inside a task may run tasks beyond it: what they wait for.
    std::size_t max_running = 0;
};

/** When calls are refused because they would wait for too long; see `pool_options::shed`. */
struct load_shedding
{
    std::chrono::nanoseconds target{}; ///< A wait that is acceptable for ever; zero: nothing is refused.
    /// For how long waits may be longer than `target`: a burst is no overload. A hundred milliseconds, say.
    std::chrono::nanoseconds interval{};
};

/** A tenant's counters; see `pool_stats::tenants`. */
struct tenant_stats
{
    tenant_id id{};         ///< Whose figures these are.
    std::size_t weight = 1; ///< As `set_tenant` was given it.
    /// Operations none of whose tasks has begun, those that wait for room (`overflow::wait`) among them.
    std::size_t pending = 0;
    /// Chunks that workers hold and that have tasks without an outcome. One task of each runs at a time.
    std::size_t running = 0;
    std::size_t done = 0;    ///< Tasks that ended with a value.
    std::size_t failed = 0;  ///< Tasks that ended with an error.
    std::size_t refused = 0; ///< Operations that were refused with `errc::queue_full`.
    /// That its tasks had. A coroutine task counts with its part of `child_concurrency`.
    std::chrono::nanoseconds worker_time{};
    /// User and system time of those of its tasks that were measured; see `mp::usage`.
    std::chrono::nanoseconds cpu_time{};
    histogram queue_wait; ///< As in `pool_stats`.
    histogram run_time;   ///< As in `pool_stats`.
};

} // namespace twat::mp

#endif
