// SPDX-License-Identifier: BSL-1.0
#include "cluster/chunk_ledger.hpp"

#include <algorithm>
#include <utility>

namespace twat::mp::detail::cluster {

const chunk_ledger::outstanding* chunk_ledger::find(chunk_id id) const noexcept
{
    const auto found = chunks_.find(id);
    return found == chunks_.end() ? nullptr : &found->second;
}

bool chunk_ledger::stored(chunk_id id, std::uint64_t sequence)
{
    const auto found = chunks_.find(id);
    if (found == chunks_.end())
        return false;
    if (std::vector<std::uint64_t>& known = found->second.sequences; std::ranges::find(known, sequence) == known.end())
        known.push_back(sequence);
    return true;
}

void chunk_ledger::came_back() noexcept
{
    for (auto& [id, chunk] : chunks_)
        chunk.outlived = true;
}

verdict chunk_ledger::claim(chunk_id id, const std::string& agent, std::uint64_t delivery, const std::string& ack)
{
    const auto found = chunks_.find(id);
    if (found == chunks_.end())
        return verdict::unknown;
    outstanding& chunk = found->second;
    if (chunk.is_given() && (chunk.agent != agent || chunk.delivery != delivery))
        return verdict::taken;
    chunk.agent = agent;
    chunk.delivery = delivery;
    chunk.ack = ack;
    return verdict::run;
}

std::optional<chunk_ledger::outstanding> chunk_ledger::take_dropped(chunk_id id, const std::string& agent,
                                                                    std::uint64_t delivery)
{
    const outstanding* const found = find(id);
    // An earlier delivery is that of a claim that was late.
    if (!found || found->agent != agent || delivery <= found->delivery)
        return std::nullopt;
    return forget(id);
}

std::optional<chunk_ledger::outstanding> chunk_ledger::withdraw(chunk_id id)
{
    const outstanding* const found = find(id);
    return found && !found->is_given() ? forget(id) : std::nullopt;
}

std::optional<chunk_ledger::outstanding> chunk_ledger::settle(chunk_id id, const std::string& agent)
{
    const outstanding* const found = find(id);
    return found && found->agent == agent ? forget(id) : std::nullopt;
}

std::optional<chunk_ledger::outstanding> chunk_ledger::forget(chunk_id id)
{
    auto taken = chunks_.extract(id);
    if (taken.empty())
        return std::nullopt;
    return std::move(taken.mapped());
}

std::vector<chunk_ledger::lost_chunk> chunk_ledger::lose(const std::string& agent)
{
    std::vector<lost_chunk> lost;
    for (auto next = chunks_.begin(); next != chunks_.end();) {
        const auto it = next++;
        if (it->second.agent == agent) {
            lost.push_back({it->first, std::move(it->second)});
            chunks_.erase(it);
        }
    }
    return lost;
}

std::vector<chunk_ledger::lost_chunk> chunk_ledger::reconcile(const std::string& agent,
                                                              const std::vector<chunk_id>& told)
{
    std::vector<lost_chunk> lost;
    for (auto next = chunks_.begin(); next != chunks_.end();) {
        const auto it = next++;
        outstanding& chunk = it->second;
        if (chunk.agent != agent)
            continue;
        if (std::ranges::find(told, it->first) != told.end())
            chunk.unnamed_once = false;
        else if (std::exchange(chunk.unnamed_once, true)) {
            lost.push_back({it->first, std::move(chunk)});
            chunks_.erase(it);
        }
    }
    return lost;
}

std::vector<chunk_ledger::chunk_id> chunk_ledger::unwanted(const std::string& agent,
                                                           const std::vector<chunk_id>& told) const
{
    std::vector<chunk_id> ids;
    for (const chunk_id id : told)
        if (const outstanding* const found = find(id); !found || (found->is_given() && found->agent != agent))
            ids.push_back(id);
    return ids;
}

std::vector<chunk_ledger::chunk_id> chunk_ledger::to_publish_again() const
{
    std::vector<chunk_id> ids;
    for (const auto& [id, chunk] : chunks_)
        if (!chunk.is_given())
            ids.push_back(id);
    return ids;
}

bool chunk_ledger::is_to_be_published_again(chunk_id id) const noexcept
{
    const outstanding* const found = find(id);
    return found && !found->is_given();
}

std::size_t chunk_ledger::given_to(const std::string& agent) const noexcept
{
    return static_cast<std::size_t>(
        std::ranges::count_if(chunks_, [&](const auto& c) { return c.second.agent == agent; }));
}

} // namespace twat::mp::detail::cluster
