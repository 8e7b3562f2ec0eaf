// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_LEFTOVERS_HPP
#define TWAT_MP_SRC_CLUSTER_LEFTOVERS_HPP

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "backend/chunk.hpp"

namespace twat::mp::detail::cluster {

/// A chunk of a pool's, and its number in the stream.
struct stored_chunk
{
    std::uint64_t sequence = 0;
    std::uint64_t chunk = 0;

    auto operator<=>(const stored_chunk&) const = default;
};

/** Chunks that a pool took out of its stream, and that may be there once more. No I/O and no clock.

    A nats-server that is killed can forget what was removed last: its consumer still knows that the message was acknowledged, so nobody gets it, and
    it stays. So what was removed in the last seconds is looked at when the broker is back.
*/
class leftovers
{
public:
    /// A nats-server 2.9 writes down what was removed within two seconds.
    static constexpr duration memory = std::chrono::seconds(5);
    static constexpr std::size_t most = 65536;

    /// A chunk was told to be taken out of the stream.
    void removed(const stored_chunk& what, time_point now)
    {
        recent_.emplace_back(what, now);
        while (recent_.size() > most || now - recent_.front().second > memory)
            recent_.pop_front();
    }
    /// The same while the broker is away: nothing is forgotten for being old, as it can be told only when it is back.
    void removed_unheard(const stored_chunk& what, time_point now)
    {
        recent_.emplace_back(what, now);
        while (recent_.size() > most)
            recent_.pop_front();
    }
    /// One may be there, whatever the broker was told.
    void suspect(const stored_chunk& what)
    {
        if (suspects_.size() < most)
            suspects_.insert(what);
    }
    /// The broker is back.
    void came_back()
    {
        for (const auto& [what, when] : recent_)
            suspect(what);
        recent_.clear();
    }

    bool empty() const noexcept { return suspects_.empty(); }
    /// Those to look at, the oldest first.
    std::vector<stored_chunk> take()
    {
        const auto taken = std::exchange(suspects_, {});
        return {taken.begin(), taken.end()};
    }

private:
    std::deque<std::pair<stored_chunk, time_point>> recent_;
    std::set<stored_chunk> suspects_;
};

} // namespace twat::mp::detail::cluster

#endif
