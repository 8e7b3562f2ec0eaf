// SPDX-License-Identifier: BSL-1.0
// What an agent does after each event: what has come due, and how many chunks it asks for.
#include <boost/asio/bind_executor.hpp>

#include <algorithm>

#include "cluster/agent.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {
namespace {

/// Chunks that are shorter are fetched before a worker is free for them; others may wait for whoever is free first.
constexpr duration short_chunk = std::chrono::milliseconds(20);
/// A pull ends by itself after this; one that has had no answer by then never will.
constexpr std::int64_t pull_expires = 2'000'000'000;
constexpr duration pull_patience{pull_expires + 500'000'000};

} // namespace

void agent::step()
{
    if (ending_)
        return;
    if (online_) {
        const time_point now = clock::now();
        if (presence_at_ <= now)
            tell_presence();
        take_work();
        const auto due = desk_.take_due(now);
        for (const auto& [key, entry] : due.orphans) {
            drop(key, entry.ack, entry.ack_holds ? "+TERM" : nullptr);
            link_->publish(names_.pool(key.pool, "given_up"), pack(given_up_message{id_, key.chunk}));
        }
        for (const auto& [key, entry] : due.returned) {
            link_->publish_text(entry.ack, "-NAK");
            held_.erase(key);
        }
        for (const std::string& ack : due.renewals)
            link_->publish_text(ack, "+WPI");
        for (const chunk_key& key : due.claims)
            send_claim(key);
        for (const chunk_key& key : due.outcomes)
            send_outcome(key);
        for (const std::string& pool : due.pools)
            tell_alive(pool);
        for (auto& [key, held] : held_)
            if (held.parts && !held.running && held.parts->next_due() <= now)
                ask_for_parts(key, held);
        pull();
    }
    end_if_empty(leave_by_ <= clock::now());
    set_timer();
}

/// Claims what waits here, as far as workers are free.
void agent::take_work()
{
    while (const chunk_key* const next = desk_.next_waiting()) {
        const double cost =
            desk_.find(*next)->coroutine ? 1.0 / static_cast<double>(default_setup().child_concurrency) : 1.0;
        if (desk_.occupied(static_cast<std::size_t>(default_setup().child_concurrency)) + cost >
            static_cast<double>(nodes_) + 1e-6)
            return;
        desk_.claim(chunk_key(*next), clock::now());
    }
}

/// Chunks that would have a worker at once, or soon.
std::size_t agent::workers_wanted() const noexcept
{
    const bool ahead = short_chunks_ != duration::zero() && short_chunks_ < short_chunk;
    const std::size_t room = nodes_ + (ahead ? nodes_ : 0);
    const auto occupied =
        static_cast<std::size_t>(desk_.occupied(static_cast<std::size_t>(default_setup().child_concurrency)));
    const std::size_t here = occupied + desk_.count(agent_desk::stage::waiting) + asked_for_;
    return room - std::min(room, here);
}

void agent::pull()
{
    const time_point now = clock::now();
    if (leaving_ || !online_ || (pull_again_ != time_point::max() && pull_again_ > now))
        return;
    pull_again_ = time_point::max();
    if (asked_for_ != 0 && now - asked_at_ > pull_patience)
        asked_for_ = 0;
    const std::size_t wanted = workers_wanted();
    if (wanted == 0)
        return;
    link_->publish_text(names_.next_task(),
                        "{\"batch\":" + std::to_string(wanted) + ",\"expires\":" + std::to_string(pull_expires) + "}",
                        names_.agent(id_, "pull"));
    asked_for_ += wanted;
    asked_at_ = now;
}

void agent::set_timer()
{
    if (ending_)
        return;
    time_point next = std::min({leave_by_, pull_again_, online_ ? presence_at_ : time_point::max(), desk_.next_due()});
    for (const auto& [key, held] : held_)
        if (held.parts && !held.running)
            next = std::min(next, held.parts->next_due());
    if (asked_for_ != 0 && online_)
        next = std::min(next, saturating_add(asked_at_, pull_patience + std::chrono::milliseconds(1)));
    timer_.expires_at(next);
    timer_.async_wait(asio::bind_executor(strand_, [weak = weak_from_this()](boost::system::error_code ec) {
        if (const auto self = weak.lock(); self && !ec)
            self->step();
    }));
}

} // namespace twat::mp::detail::cluster
