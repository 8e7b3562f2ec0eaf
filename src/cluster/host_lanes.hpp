// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_HOST_LANES_HPP
#define TWAT_MP_SRC_CLUSTER_HOST_LANES_HPP

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.hpp"

namespace twat::mp::detail::cluster {

/** Numbers for the chunks that a host runs at one time, for those who watch: which of its workers has a chunk is the host's own matter.

    What is kept is about hosts that run something.
*/
class host_lanes
{
public:
    /// The lowest that is free.
    chunk_taker take(const std::string& host)
    {
        known_host& at = hosts_[host];
        if (!at.name)
            at.name = std::make_shared<const std::string>(host);
        const auto free = std::find(at.taken.begin(), at.taken.end(), false);
        const auto lane = static_cast<std::size_t>(free - at.taken.begin());
        if (free == at.taken.end())
            at.taken.push_back(true);
        else
            *free = true;
        return {at.name, lane};
    }

    /// @param taker As it was taken, or none.
    void give_back(const chunk_taker& taker) noexcept
    {
        const auto found = taker.host ? hosts_.find(*taker.host) : hosts_.end();
        if (found == hosts_.end())
            return;
        std::vector<bool>& taken = found->second.taken;
        taken[taker.lane] = false;
        while (!taken.empty() && !taken.back())
            taken.pop_back();
        if (taken.empty())
            hosts_.erase(found);
    }

    std::size_t hosts() const noexcept { return hosts_.size(); }
    void clear() noexcept { hosts_.clear(); }

private:
    struct known_host
    {
        std::shared_ptr<const std::string> name;
        std::vector<bool> taken; // the last one is
    };
    std::map<std::string, known_host> hosts_;
};

} // namespace twat::mp::detail::cluster

#endif
