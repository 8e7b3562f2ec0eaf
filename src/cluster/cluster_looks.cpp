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

std::string milliseconds_text(duration d)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

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
            lose(chunk, lost.told.host, "nothing was heard from its agent for " + milliseconds_text(options_.lease));
    for (const chunk_id id : fetched_)
        if (sent_chunk& sent = sent_.at(id); sent.parts && sent.parts->next_due() <= now)
            if (const auto* const known = ledger_.find(id); known && known->is_given())
                fetch_outcome(id, sent, known->agent);
    if (link_state_.online)
        look_at_unconfirmed(now);
    if (give_up_at_ <= now)
        give_up();
    if (link_state_.online && members_.capacity() == 0 && roll_call_at_ <= now && active_)
        call_roll();
    update_hosts();
    update_places();
}

void cluster_workers_set::look_at_unconfirmed(time_point now)
{
    const unconfirmed::due due = unconfirmed_.take_due(now);
    for (const chunk_id id : due.again)
        publish(id, sent_.at(id));
    for (const chunk_id id : due.hopeless)
        if (const auto* const known = ledger_.find(id); known && !known->is_given())
            refuse(id, errc::broker_failed,
                   "the broker at " + without_secrets(options_.url) + " has not stored a chunk for " +
                       milliseconds_text(options_.wait_for_agents) +
                       " (cluster_options::wait_for_agents), though it answers: look at its disk and its log, and "
                       "restart it");
}

/// The outcomes of the chunks that agents hold cannot arrive, and the other chunks cannot be sent. When the broker is back, agents learn from the answers
/// to their claims that nobody wants these any more.
void cluster_workers_set::give_up()
{
    const std::string why = "the broker at " + without_secrets(options_.url) + " has been away for longer than " +
                            milliseconds_text(options_.wait_for_agents) + " (cluster_options::wait_for_agents)";
    std::vector<chunk_id> all;
    all.reserve(sent_.size());
    for (const auto& [id, sent] : sent_)
        all.push_back(id);
    for (const chunk_id id : all) {
        const auto* const known = ledger_.find(id);
        if (!known || !known->is_given()) {
            refuse(id, errc::broker_failed, why);
            continue;
        }
        const std::string host = sent_.at(id).taker.host ? *sent_.at(id).taker.host : std::string("another host");
        if (auto what = ledger_.forget(id))
            lose({id, std::move(*what)}, host, why);
    }
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
        if (link_state_.online)
            next = std::min(next, unconfirmed_.next_due());
        else if (!sent_.empty())
            next = std::min(next, give_up_at_);
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
