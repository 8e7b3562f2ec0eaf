// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_UNCONFIRMED_HPP
#define TWAT_MP_SRC_CLUSTER_UNCONFIRMED_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "backend/chunk.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {

/** The chunks that a pool has published and the stream has not confirmed to have. No I/O and no clock.

    The broker may have dropped one, or its stream is being made anew: it is published again. A broker whose disk is full may answer everything but
    this for ever: then the pool gives up, and says so.
*/
class unconfirmed
{
public:
    using chunk_id = std::uint64_t;

    /// @param interval Between two looks. @param patience After which one is given up; zero: never.
    unconfirmed(duration interval, duration patience) noexcept : interval_(interval), patience_(patience) {}

    bool empty() const noexcept { return chunks_.empty(); }

    /// For the first time, or again.
    void published(chunk_id id, time_point now) { chunks_.try_emplace(id, in_sight(now)); }
    /// The stream has it. One that is slow but stores something is not given up.
    void confirmed(chunk_id id, time_point now) noexcept
    {
        chunks_.erase(id);
        heard_ = in_sight(now);
    }
    /// Nobody wants it any more.
    void settled(chunk_id id) noexcept { chunks_.erase(id); }
    void clear() noexcept { chunks_.clear(); }

    /// While the broker is away no time passes for it. All that it was in sight counts: one that hangs is left, and found again, over and over.
    void set_online(bool online, time_point now) noexcept
    {
        if (online == !away_since_)
            return;
        if (online) {
            away_ += now - *away_since_;
            away_since_.reset();
        } else
            away_since_ = now;
    }

    struct due
    {
        std::vector<chunk_id> again;    ///< To be published again.
        std::vector<chunk_id> hopeless; ///< Given up, and not here any more.
    };

    /// What is to be done by now, while the broker answers.
    due take_due(time_point now)
    {
        due found;
        if (now < next_)
            return found;
        next_ = saturating_add(now, interval_);
        for (const auto& [id, since] : chunks_)
            if (patience_ != duration::zero() && saturating_add(std::max(since, heard_), patience_) <= in_sight(now))
                found.hopeless.push_back(id);
            else if (saturating_add(since, interval_) <= in_sight(now))
                found.again.push_back(id);
        for (const chunk_id id : found.hopeless)
            chunks_.erase(id);
        return found;
    }

    /// When something may be due; max: nothing will be.
    time_point next_due() const noexcept { return chunks_.empty() ? time_point::max() : next_; }

private:
    /// On a clock that stands still while the broker is away.
    time_point in_sight(time_point now) const noexcept { return away_since_.value_or(now) - away_; }

    const duration interval_, patience_;
    std::map<chunk_id, time_point> chunks_; // and since when they are there, by that clock
    std::optional<time_point> away_since_;
    duration away_{};
    time_point heard_{}; // when a chunk was confirmed last
    time_point next_{};
};

} // namespace twat::mp::detail::cluster

#endif
