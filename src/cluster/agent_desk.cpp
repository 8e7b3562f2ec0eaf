// SPDX-License-Identifier: BSL-1.0
#include "cluster/agent_desk.hpp"

#include <algorithm>
#include <utility>

#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {
namespace {

/// A pool that is silent, but not known to be gone, may be stopped in a debugger or cut off for a while.
constexpr int silent_leases = 5;
constexpr duration shortest_lease = std::chrono::milliseconds(100);

} // namespace

agent_desk::delivery agent_desk::delivered(const chunk_key& key, const task_message& task, const std::string& ack,
                                           time_point now)
{
    const duration lease = std::max(task.lease, shortest_lease);
    const auto [pool, first] = pools_.try_emplace(key.pool);
    if (first)
        pool->second.heard = now;
    pool->second.lease = lease;
    pool->second.ask_at = first ? saturating_add(now, often(lease)) : pool->second.ask_at;
    const auto [it, added] = entries_.try_emplace(key);
    it->second.ack = ack;
    it->second.ack_holds = true;
    if (!added)
        return delivery::known;
    it->second.delivery = ++last_delivery_;
    it->second.lease = lease;
    it->second.coroutine = task.coroutine;
    it->second.send_at = time_point::max();
    it->second.renew_at = saturating_add(now, often(lease));
    waiting_.push_back(key);
    return delivery::taken_in;
}

const chunk_key* agent_desk::next_waiting() const noexcept
{
    for (const chunk_key& key : waiting_)
        if (const entry* const e = find(key); e && e->at == stage::waiting)
            return &key;
    return nullptr;
}

void agent_desk::claim(const chunk_key& key, time_point now)
{
    const auto found = entries_.find(key);
    std::erase(waiting_, key);
    if (found == entries_.end() || found->second.at != stage::waiting)
        return;
    found->second.at = stage::claiming;
    found->second.send_at = now;
}

bool agent_desk::answered(const chunk_key& key, std::uint64_t delivery, verdict answer, time_point now)
{
    pool_heard(key.pool, now);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.at != stage::claiming || found->second.delivery != delivery)
        return false; // the answer to a claim that was sent twice
    if (answer != verdict::run) {
        entries_.erase(found);
        return true;
    }
    found->second.at = stage::running;
    found->second.send_at = time_point::max();
    return true;
}

bool agent_desk::finished(const chunk_key& key, time_point now)
{
    const auto found = entries_.find(key);
    if (found == entries_.end())
        return false;
    found->second.at = stage::finished;
    found->second.send_at = now;
    return true;
}

const agent_desk::entry* agent_desk::find(const chunk_key& key) const noexcept
{
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
}

std::size_t agent_desk::count(stage at) const noexcept
{
    return static_cast<std::size_t>(std::ranges::count_if(entries_, [&](const auto& e) { return e.second.at == at; }));
}

double agent_desk::occupied(std::size_t concurrency) const noexcept
{
    double workers = 0;
    for (const auto& [key, e] : entries_)
        if (e.at == stage::claiming || e.at == stage::running)
            workers += e.coroutine ? 1.0 / static_cast<double>(std::max<std::size_t>(1, concurrency)) : 1.0;
    return workers;
}

void agent_desk::pool_heard(const std::string& pool, time_point now)
{
    const auto found = pools_.find(pool);
    if (found == pools_.end())
        return;
    found->second.heard = std::max(found->second.heard, now);
    found->second.unreachable = false;
}

void agent_desk::unanswered(time_point now)
{
    for (auto& [id, pool] : pools_)
        pool.unreachable = pool.unreachable || now - pool.heard >= often(pool.lease) * 3 / 2;
}

time_point agent_desk::gone_at(const pool_state& pool) const noexcept
{
    if (!pool.unreachable)
        return saturating_add(pool.heard, silent_leases * pool.lease);
    // An eighth for the system, which ends the workers. Not before the second question in a row that nobody was there for.
    return saturating_add(pool.heard, std::max(pool.lease * 5 / 8, pool.lease - pool.lease / 8 - stopping_));
}

void agent_desk::connected(time_point now)
{
    connected_ = true;
    for (auto& [id, pool] : pools_) {
        pool.heard = std::max(pool.heard, now);
        pool.unreachable = false;
        pool.ask_at = now;
    }
    for (auto& [key, e] : entries_) {
        e.ack_holds = false;
        e.renew_at = now;
        if (e.at == stage::claiming || e.at == stage::finished)
            e.send_at = now;
    }
}

agent_desk::due_work agent_desk::take_due(time_point now)
{
    due_work due;
    if (!connected_)
        return due;
    drop_pools_without_chunks();
    for (auto& [id, pool] : pools_) {
        if (gone_at(pool) <= now)
            for (auto it = entries_.lower_bound({id, 0}); it != entries_.end() && it->first.pool == id;
                 it = entries_.erase(it))
                due.orphans.emplace_back(it->first, it->second);
        else if (pool.ask_at <= now) {
            due.pools.push_back(id);
            pool.ask_at = saturating_add(now, often(pool.lease));
        }
    }
    for (auto next = entries_.begin(); next != entries_.end();) {
        const auto it = next++;
        if (it->second.at == stage::waiting && it->second.renew_at <= now) {
            due.returned.emplace_back(it->first, it->second);
            std::erase(waiting_, it->first);
            entries_.erase(it);
        }
    }
    for (auto& [key, e] : entries_) {
        if (e.send_at <= now) {
            (e.at == stage::finished ? due.outcomes : due.claims).push_back(key);
            e.send_at = saturating_add(now, often(e.lease));
        }
        if (e.renew_at <= now) {
            due.renewals.push_back(e.ack);
            e.renew_at = saturating_add(now, often(e.lease));
        }
    }
    return due;
}

time_point agent_desk::next_due() const noexcept
{
    time_point next = time_point::max();
    if (!connected_)
        return next;
    for (const auto& [key, e] : entries_)
        next = std::min({next, e.send_at, e.renew_at});
    if (!entries_.empty())
        for (const auto& [id, pool] : pools_)
            next = std::min({next, pool.ask_at, gone_at(pool)});
    return next;
}

std::vector<std::uint64_t> agent_desk::chunks_of(const std::string& pool) const
{
    std::vector<std::uint64_t> ids;
    for (auto it = entries_.lower_bound({pool, 0}); it != entries_.end() && it->first.pool == pool; ++it)
        if (it->second.at != stage::waiting)
            ids.push_back(it->first.chunk);
    return ids;
}

std::vector<std::pair<chunk_key, agent_desk::entry>> agent_desk::take_waiting()
{
    std::vector<std::pair<chunk_key, entry>> taken;
    for (auto next = entries_.begin(); next != entries_.end();) {
        const auto it = next++;
        if (it->second.at == stage::waiting) {
            taken.emplace_back(it->first, it->second);
            entries_.erase(it);
        }
    }
    waiting_.clear();
    return taken;
}

void agent_desk::drop_pools_without_chunks()
{
    std::erase_if(pools_, [&](const auto& pool) {
        const auto it = entries_.lower_bound({pool.first, 0});
        return it == entries_.end() || it->first.pool != pool.first;
    });
}

} // namespace twat::mp::detail::cluster
