// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_AGENT_DESK_HPP
#define TWAT_MP_SRC_CLUSTER_AGENT_DESK_HPP

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backend/chunk.hpp"
#include "cluster/messages.hpp"

namespace twat::mp::detail::cluster {

/// A chunk, among those of all pools.
struct chunk_key
{
    std::string pool;
    std::uint64_t chunk = 0;

    auto operator<=>(const chunk_key&) const = default;
};

/** What an agent holds, from the delivery of a chunk until its pool has the outcome. No I/O and no clock.

    Whatever is sent may be lost, so everything is sent again until it is answered: claims and outcomes to the pool, renewals to the stream. A
    pool from which nothing is heard for a lease is gone, and what the agent holds of it is dropped.
*/
class agent_desk
{
public:
    /// @param stopping How long tasks may take to stop: those of a pool that was killed are stopped as much earlier, so that they are gone within
    /// its lease.
    explicit agent_desk(duration stopping = duration::zero()) : stopping_(stopping) {}

    enum class stage { waiting, claiming, running, finished };

    struct entry
    {
        stage at = stage::waiting;
        std::string ack; ///< Where the newest delivery is acknowledged.
        bool ack_holds =
            true; ///< It is of this connection: a broker that was killed may give its number to another chunk.
        std::uint64_t delivery = 0; ///< Names its stay here.
        duration lease{};
        bool coroutine = false;
        time_point send_at{}; ///< The claim or the outcome, next.
        time_point renew_at{};
    };

    enum class delivery {
        taken_in, ///< It waits for a worker here.
        known,    ///< It is here already.
    };

    /// A chunk was delivered. (Its ack subject is kept: the newest is the one that counts.)
    delivery delivered(const chunk_key& key, const task_message& task, const std::string& ack, time_point now);

    /// A worker is free for the chunk: it is claimed from now on.
    void claim(const chunk_key& key, time_point now);

    /// The next one that waits for a worker, in the order of delivery; null: none does.
    const chunk_key* next_waiting() const noexcept;

    /// The pool has answered a claim. False: nothing follows from it.
    bool answered(const chunk_key& key, std::uint64_t delivery, verdict answer, time_point now);

    /// The tasks have their outcomes, which are sent until `settled`. False: nobody wants them any more.
    bool finished(const chunk_key& key, time_point now);

    /// The pool has the outcome, or wants nothing of the chunk. Whether it was here.
    bool forget(const chunk_key& key) { return entries_.erase(key) != 0; }

    const entry* find(const chunk_key& key) const noexcept;
    std::size_t size() const noexcept { return entries_.size(); }
    std::size_t count(stage at) const noexcept;
    /// Workers that chunks occupy, where a coroutine takes up one part of `concurrency`.
    double occupied(std::size_t concurrency) const noexcept;

    // Pools
    void pool_heard(const std::string& pool, time_point now);
    /// The broker says that nobody listens where something was asked, but not where: at a pool that is silent. Perhaps it has just not come back yet.
    void unanswered(time_point now);
    /// The broker is away or just back: silence says nothing, and counts from now on. Everything is sent again at once.
    void connected(time_point now);
    void disconnected() noexcept { connected_ = false; }

    struct due_work
    {
        std::vector<chunk_key> claims;     ///< Ask (again).
        std::vector<chunk_key> outcomes;   ///< Send (again).
        std::vector<std::string> renewals; ///< Ack subjects.
        /// No worker was free for them for a while: back into the stream with them, since another agent may have one.
        std::vector<std::pair<chunk_key, entry>> returned;
        std::vector<std::string> pools; ///< Ask whether they are alive.
        /// Their pools are gone: stop them, take them out of the stream.
        std::vector<std::pair<chunk_key, entry>> orphans;
    };

    /// What is due by now. What is returned and orphans are not here any more.
    due_work take_due(time_point now);
    time_point next_due() const noexcept;

    /// What it holds of a pool.
    std::vector<std::uint64_t> chunks_of(const std::string& pool) const;

    /// The agent leaves: what waits for a worker, to be returned to the stream. They are not here any more.
    std::vector<std::pair<chunk_key, entry>> take_waiting();

private:
    struct pool_state
    {
        duration lease{};
        time_point heard{};
        time_point ask_at{};
        bool unreachable = false;
    };

    static duration often(duration lease) noexcept { return lease / 4; }
    /// When a pool counts as gone, unless it is heard.
    time_point gone_at(const pool_state& pool) const noexcept;
    void drop_pools_without_chunks();

    duration stopping_;
    bool connected_ = true;
    std::uint64_t last_delivery_ = 0;
    std::map<chunk_key, entry> entries_;
    std::vector<chunk_key> waiting_; // in the order of delivery; may name what is not here any more
    std::map<std::string, pool_state> pools_;
};

} // namespace twat::mp::detail::cluster

#endif
