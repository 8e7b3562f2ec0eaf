// SPDX-License-Identifier: BSL-1.0
// What a pool on a cluster looks at when something came or some time has passed: who is there, what is lost, what is late.
#include <boost/asio/bind_executor.hpp>

#include <algorithm>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "cluster/cluster_workers.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration roll_call_interval = std::chrono::milliseconds(250);

} // namespace

void cluster_workers_set::call_roll()
{
    roll_call_at_ = saturating_add(clock::now(), roll_call_interval);
    link_->publish(names_.roll_call(),
                   pack(roll_call_message{.build = names_.build(), .pool = id_, .lease = options_.lease}));
}

/// Something came, or some time has passed.
void cluster_workers_set::look()
{
    if (ended_)
        return;
    read_mail();
    judge();
    const std::weak_ptr weak(self_);
    events_.decide();
    if (const auto self = weak.lock(); self && *self)
        set_timer();
}

void cluster_workers_set::judge()
{
    const time_point now = clock::now();
    const auto holds = [&](const std::string& agent) { return ledger_.given_to(agent) != 0; };
    for (const membership::agent& other : members_.without_chunks(now, holds))
        for (const auto& chunk : ledger_.lose(other.told.agent))
            lose(chunk, other.told.host, why_dropped);
    for (const membership::agent& lost : members_.take_lost(now, holds))
        for (const auto& chunk : ledger_.lose(lost.told.agent))
            lose(chunk, lost.told.host,
                 "nothing was heard from its agent for " +
                     std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(options_.lease).count()) +
                     " ms");
    for (const chunk_id id : fetched_)
        if (sent_chunk& sent = sent_.at(id); sent.parts && sent.parts->next_due() <= now)
            if (const auto* const known = ledger_.find(id); known && known->is_given())
                fetch_outcome(id, sent, known->agent);
    if (link_state_.online && look_at_unstored_ <= now) {
        look_at_unstored_ = saturating_add(now, options_.lease / 2);
        for (const chunk_id id : std::exchange(older_unstored_, {}))
            if (unstored_.contains(id))
                publish(id, sent_.at(id));
        older_unstored_ = unstored_;
    }
    if (link_state_.online && members_.capacity() == 0 && roll_call_at_ <= now && active_)
        call_roll();
    update_hosts();
    update_places();
}

std::function<std::exception_ptr()> cluster_workers_set::why_nobody() const
{
    if (!link_state_.online) {
        std::string why = link_state_.failure;
        if (why.empty())
            why = link_state_.connections == 0 ? "no broker answers at " + without_secrets(options_.url)
                                               : "the broker at " + without_secrets(options_.url) + " is away";
        return [why] { return make_error(errc::broker_failed, why); };
    }
    std::string why = "no agent of group '" + names_.group() + "' and of this build (" + names_.build().substr(0, 12) +
                      ") serves at " + without_secrets(options_.url) +
                      "; start this program there with --twat-mp-agent " + without_secrets(options_.url);
    if (const std::string others = members_.describe_others(clock::now()); !others.empty())
        why += ". " + others;
    return [why] { return make_error(errc::no_agents, why); };
}

void cluster_workers_set::set_timer()
{
    if (!timer_)
        return;
    time_point next = time_point::max();
    if (active_ && !ended_) {
        next = members_.next_due();
        if (link_state_.online && members_.capacity() == 0)
            next = std::min(next, std::max(roll_call_at_, clock::now()));
        for (const chunk_id id : fetched_)
            if (const sent_chunk& sent = sent_.at(id); sent.parts)
                next = std::min(next, sent.parts->next_due());
        if (link_state_.online && !unstored_.empty())
            next = std::min(next, look_at_unstored_);
    }
    if (next == timer_at_)
        return;
    timer_at_ = next;
    if (next == time_point::max()) {
        timer_->cancel();
        return;
    }
    timer_->expires_at(next);
    timer_->async_wait(asio::bind_executor(*strand_, [weak = std::weak_ptr(self_), next](boost::system::error_code ec) {
        if (const auto self = weak.lock(); self && *self && !ec && (*self)->timer_at_ == next) {
            (*self)->timer_at_ = time_point::max();
            (*self)->look();
        }
    }));
}

} // namespace twat::mp::detail::cluster
