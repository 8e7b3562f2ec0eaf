// SPDX-License-Identifier: BSL-1.0
#include "cluster/membership.hpp"

#include <algorithm>
#include <set>

#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {

void membership::heard(const presence_message& told, time_point when)
{
    if (told.version != protocol_version || told.build != build_) {
        others_[told.agent] = {told, when};
        return;
    }
    const auto found = agents_.find(told.agent);
    if (found == agents_.end()) {
        if (!told.leaving)
            agents_.emplace(told.agent, agent{told, when, when});
        return;
    }
    found->second.told = told;
    found->second.heard = std::max(found->second.heard, when);
}

bool membership::heard(const std::string& id, time_point when)
{
    const auto found = agents_.find(id);
    if (found == agents_.end())
        return false;
    found->second.heard = std::max(found->second.heard, when);
    return true;
}

bool membership::told_chunks(const std::string& id, time_point when)
{
    if (!heard(id, when))
        return false;
    agents_.at(id).told_chunks = std::max(agents_.at(id).told_chunks, when);
    return true;
}

time_point membership::next_due() const noexcept
{
    time_point next = time_point::max();
    if (connected_)
        for (const auto& [id, a] : agents_)
            next = std::min(next, saturating_add(std::max(a.heard, since_), patience()));
    return next;
}

const membership::agent* membership::find(const std::string& id) const noexcept
{
    const auto found = agents_.find(id);
    return found == agents_.end() ? nullptr : &found->second;
}

std::size_t membership::capacity() const noexcept
{
    std::size_t nodes = 0;
    for (const auto& [id, a] : agents_)
        if (!a.told.leaving)
            nodes += a.told.nodes;
    return nodes;
}

std::vector<host_stats> membership::hosts() const
{
    std::map<std::string, std::size_t> nodes;
    for (const auto& [id, a] : agents_)
        if (!a.told.leaving)
            nodes[a.told.host] += a.told.nodes;
    std::vector<host_stats> all;
    all.reserve(nodes.size());
    for (const auto& [host, count] : nodes)
        all.push_back({host, count});
    return all;
}

std::string membership::describe_others(time_point now) const
{
    constexpr std::size_t most_named = 8;
    std::set<std::string> builds;
    std::size_t count = 0;
    for (const auto& [id, other] : others_) {
        if (now - other.heard > 4 * patience())
            continue;
        ++count;
        builds.insert(other.told.program + " (build " + other.told.build.substr(0, 12) + ") on " + other.told.host);
    }
    if (count == 0)
        return {};
    std::string text =
        std::to_string(count) + (count == 1 ? " agent of another build serves: " : " agents of other builds serve: ");
    std::size_t named = 0;
    for (const std::string& build : builds) {
        if (named == most_named) {
            text += ", ...";
            break;
        }
        text += (named++ == 0 ? "" : ", ") + build;
    }
    return text;
}

} // namespace twat::mp::detail::cluster
