// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_COUNTS_HPP
#define TWAT_MP_SRC_POOL_COUNTS_HPP

#include <cstddef>
#include <cstdint>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/** What a pool tells other threads after each of its steps: the plain counts of `pool_stats`.

    Histograms, tenants and labels have places of their own, where any thread may read them. A `pool_stats` has six vectors beside the counts:
    copying it three times made 6 % of the instructions of a short call.
*/
struct pool_counts
{
    std::size_t nodes = 0, ready = 0, busy = 0, pending = 0, running = 0, done = 0, failed = 0, died = 0, restarts = 0,
                cancelled = 0, abandoned = 0, recycled = 0, starting = 0, retired = 0, waiting = 0, pending_bytes = 0,
                timed_out = 0, refused = 0, resumed = 0, retried = 0, hedged = 0, hedges_won = 0, lost = 0;
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    chaos_stats chaos{};

    friend bool operator==(const pool_counts&, const pool_counts&) = default;
};

/// From a `pool_stats` or to one.
template <class From, class To>
void copy_counts(const From& from, To& to)
{
    to.nodes = from.nodes;
    to.ready = from.ready;
    to.busy = from.busy;
    to.pending = from.pending;
    to.running = from.running;
    to.done = from.done;
    to.failed = from.failed;
    to.died = from.died;
    to.restarts = from.restarts;
    to.cancelled = from.cancelled;
    to.abandoned = from.abandoned;
    to.recycled = from.recycled;
    to.starting = from.starting;
    to.retired = from.retired;
    to.waiting = from.waiting;
    to.pending_bytes = from.pending_bytes;
    to.timed_out = from.timed_out;
    to.refused = from.refused;
    to.resumed = from.resumed;
    to.retried = from.retried;
    to.hedged = from.hedged;
    to.hedges_won = from.hedges_won;
    to.lost = from.lost;
    to.bytes_sent = from.bytes_sent;
    to.bytes_received = from.bytes_received;
    to.chaos = from.chaos;
}

} // namespace twat::mp::detail

#endif
