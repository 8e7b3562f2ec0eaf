// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_LINK_STATE_HPP
#define TWAT_MP_SRC_CLUSTER_LINK_STATE_HPP

#include <cstddef>
#include <string>
#include <utility>

#include "backend/chunk.hpp"

namespace twat::mp::detail::cluster {

/** A pool's link to the broker, as its strand is told of it. No I/O and no clock.

    The strand may not run between the link's going and its coming: it is `connections` that tells it that something may be lost, and not that it saw the
    link go.
*/
struct link_state
{
    bool online = false;
    std::size_t max_payload = 0;
    std::size_t connections = 0; ///< How often it came, so far.
    time_point since{};
    std::string failure{}; ///< Why it cannot be used; empty: nothing is known to be wrong.

    void connected(std::size_t most, time_point now) { *this = {true, most, connections + 1, now, {}}; }
    void disconnected(time_point now) noexcept
    {
        if (std::exchange(online, false))
            since = now;
    }

    /// Whether the link came back since `before`: what was sent may be lost.
    bool came_back_since(const link_state& before) const noexcept
    {
        return online && connections != before.connections && before.connections != 0;
    }
};

} // namespace twat::mp::detail::cluster

#endif
