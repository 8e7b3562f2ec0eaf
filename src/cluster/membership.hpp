// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_MEMBERSHIP_HPP
#define TWAT_MP_SRC_CLUSTER_MEMBERSHIP_HPP

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <twat/mp/options.hpp>

#include "backend/chunk.hpp"
#include "cluster/messages.hpp"

namespace twat::mp::detail::cluster {

/** Which agents there are, by what was heard of them. No I/O and no clock.

    An agent that is silent for a lease is lost, and what it had with it; it counts again as soon as it is heard. Nobody is judged while the
    broker is away, nor within a lease after it is back.
*/
class membership
{
public:
    /// @param build `build_token()` of this program: others do not count.
    membership(std::string build, duration lease) : build_(std::move(build)), lease_(lease) {}

    struct agent
    {
        presence_message told;
        time_point heard;
        time_point told_chunks{}; ///< When it told last which chunks it has.
    };

    void heard(const presence_message& told, time_point when);
    /// Something else came from the agent. @return Whether it is one of those that serve.
    bool heard(const std::string& agent, time_point when);

    /// The agent tells which chunks it has, or is given one.
    bool told_chunks(const std::string& agent, time_point when);

    void connected(time_point when) noexcept
    {
        connected_ = true;
        since_ = when;
    }
    void disconnected() noexcept { connected_ = false; }
    bool is_connected() const noexcept { return connected_; }

    /// Takes away the agents that are lost by now, and those that have told that they leave and hold nothing.
    /// @param holds Whether an agent holds chunks.
    template <class Holds>
    std::vector<agent> take_lost(time_point now, Holds holds);

    /// Agents that are heard, and have not told for a lease which chunks they have, as those that have some do: they have none any more.
    /// @param holds Whether an agent was given chunks.
    template <class Holds>
    std::vector<agent> without_chunks(time_point now, Holds holds) const;

    /// When `take_lost` may find one.
    time_point next_due() const noexcept;

    const agent* find(const std::string& id) const noexcept;
    /// Workers on all agents that take chunks.
    std::size_t capacity() const noexcept;
    /// The hosts of these, by name.
    std::vector<host_stats> hosts() const;
    std::size_t size() const noexcept { return agents_.size(); }
    const std::map<std::string, agent>& agents() const noexcept { return agents_; }

    /// Those of other builds that were heard of within a lease or so: "2 agents of other builds (pgzip 12ab34.. on host1, ...)"; empty if
    /// there are none.
    std::string describe_others(time_point now) const;

private:
    duration patience() const noexcept { return lease_; }

    std::string build_;
    duration lease_;
    bool connected_ = false;
    time_point since_{};
    std::map<std::string, agent> agents_;
    std::map<std::string, agent> others_;
};

template <class Holds>
std::vector<membership::agent> membership::take_lost(time_point now, Holds holds)
{
    std::vector<agent> lost;
    if (!connected_)
        return lost;
    for (auto next = agents_.begin(); next != agents_.end();) {
        const auto it = next++;
        const bool silent = now - std::max(it->second.heard, since_) >= patience();
        if (silent || (it->second.told.leaving && !holds(it->first))) {
            lost.push_back(std::move(it->second));
            agents_.erase(it);
        }
    }
    std::erase_if(others_, [&](const auto& other) { return now - other.second.heard > 4 * patience(); });
    return lost;
}

template <class Holds>
std::vector<membership::agent> membership::without_chunks(time_point now, Holds holds) const
{
    std::vector<agent> found;
    if (connected_)
        for (const auto& [id, a] : agents_)
            if (now - std::max(a.told_chunks, since_) >= patience() && holds(id))
                found.push_back(a);
    return found;
}

} // namespace twat::mp::detail::cluster

#endif
