// SPDX-License-Identifier: BSL-1.0
// The messages of an agent: those that pools and the broker send it, and its own.
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include <twat/mp/error.hpp>

#include "cluster/agent.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration pull_pause = std::chrono::milliseconds(100);
constexpr std::size_t most_greeted = 4096;

bool is_status(const incoming& message) { return message.bytes().empty() && !message.status().empty(); }

} // namespace

void agent::on_message(const incoming& message)
{
    const std::string subject(message.subject());
    try {
        if (subject == names_.roll_call()) {
            const auto [call, rest] = unpack<roll_call_message>(message.bytes());
            if (call.version == protocol_version && call.build == names_.build() && call.lease > duration::zero())
                greet(call.pool, call.lease);
            return tell_presence();
        }
        const std::string own = names_.agent(id_, "");
        if (!subject.starts_with(own))
            return on_task(message); // it keeps the subject under which it was published
        const std::string_view what = std::string_view(subject).substr(own.size());
        const std::string_view verb = what.substr(0, what.find('.'));
        const std::string from(last_token(subject));
        if (verb == "pull") {
            if (!is_status(message))
                return;
            asked_for_ = 0;
            // no stream yet, or the server is about to end
            if (message.status() != "408" && message.status() != "404")
                pull_again_ = clock::now() + pull_pause;
            return;
        }
        if (verb == "fetch")
            return on_fetch(from, message);
        if (verb == "stop")
            return on_stop(from, message);
        desk_.pool_heard(from, clock::now());
        if (verb == "verdict")
            on_verdict(from, message);
        else if (verb == "part")
            on_part(from, message);
        else if (verb == "settled") {
            const chunk_key key{from, unpack<settled_message>(message.bytes()).first.chunk};
            if (desk_.forget(key))
                held_.erase(key);
        } else if (verb == "unwanted") {
            for (const std::uint64_t chunk : unpack<unwanted_message>(message.bytes()).first.chunks)
                drop({from, chunk}, {}, nullptr);
        }
    }
    catch (const error&) {
        // Malformed, so not from a pool of this build.
    }
}

/// A pool is there, and with it the stream. One that was not there when it was asked has not answered.
void agent::greet(const std::string& pool, duration lease)
{
    presence_every_ = std::min(presence_every_, std::max<duration>(lease / 4, std::chrono::milliseconds(20)));
    if (greeted_.size() >= most_greeted)
        greeted_.clear();
    if (greeted_.insert(pool).second)
        asked_for_ = 0;
}

void agent::on_task(const incoming& message)
{
    const std::string ack(message.reply());
    asked_for_ -= asked_for_ != 0;
    task_message task;
    std::span<const std::byte> body;
    try {
        std::tie(task, body) = unpack<task_message>(message.bytes());
    }
    catch (const error&) {
        return link_->publish_text(ack, "+TERM");
    }
    if (task.version != protocol_version || task.build != names_.build() || task.count == 0)
        return link_->publish_text(ack, "+TERM");
    if (leaving_)
        return link_->publish_text(ack, "-NAK");
    const chunk_key key{task.pool, task.chunk};
    if (desk_.delivered(key, task, ack, message.when()) == agent_desk::delivery::known) {
        if (desk_.find(key)->at == agent_desk::stage::finished)
            send_outcome(key);
        return;
    }
    held_chunk held{task, {}};
    if (task.inlined)
        held.body.assign(body.begin(), body.end());
    held_.insert_or_assign(key, std::move(held));
}

void agent::on_verdict(const std::string& pool, const incoming& message)
{
    const auto [told, rest] = unpack<verdict_message>(message.bytes());
    const chunk_key key{pool, told.chunk};
    const agent_desk::entry* const entry = desk_.find(key);
    const std::string ack = entry && entry->ack_holds ? entry->ack : std::string();
    if (!desk_.answered(key, told.delivery, told.answer, clock::now()))
        return;
    if (told.answer != verdict::run) {
        held_.erase(key);
        if (told.answer == verdict::unknown && !ack.empty())
            link_->publish_text(ack, "+TERM");
        return;
    }
    held_.at(key).remaining = told.remaining;
    prepare(key);
}

void agent::on_fetch(const std::string& pool, const incoming& message)
{
    const auto [wanted, rest] = unpack<part_request>(message.bytes());
    const auto found = held_.find({pool, wanted.id});
    const std::span<const std::byte> part = found == held_.end()
                                                ? std::span<const std::byte>()
                                                : find_part(found->second.outcomes, wanted.offset, wanted.size);
    link_->publish(std::string(message.reply()), pack(part_message{part_of::outcome, wanted.id, wanted.offset}, part));
}

void agent::on_stop(const std::string& pool, const incoming& message)
{
    const auto [told, rest] = unpack<stop_message>(message.bytes());
    const auto found = held_.find({pool, told.chunk});
    if (found != held_.end() && found->second.running)
        pools_.get(found->second.task.setup)
            ->cancel(found->second.running,
                     told.by_force ? asio::cancellation_type::terminal : asio::cancellation_type::partial);
}

void agent::send_claim(const chunk_key& key)
{
    if (const agent_desk::entry* const entry = desk_.find(key))
        link_->publish(names_.pool(key.pool, "claim"),
                       pack(claim_message{key.chunk, id_, host_, entry->delivery, entry->ack}),
                       names_.agent(id_, "verdict." + key.pool));
}

void agent::send_outcome(const chunk_key& key)
{
    const held_chunk& held = held_.at(key);
    const outcome_message told{key.chunk, id_, held.busy, held.outcomes.size(), fits_inline(held.outcomes.size())};
    link_->publish(names_.pool(key.pool, "outcome"),
                   pack(told, told.inlined ? std::span(held.outcomes) : std::span<const std::byte>()),
                   names_.agent(id_, "settled." + key.pool));
}

void agent::tell_presence()
{
    presence_at_ = saturating_add(clock::now(), presence_every_);
    presence_message told{.build = names_.build(), .program = program_text(), .agent = id_, .host = host_};
    told.pid = ::getpid();
    told.nodes = nodes_;
    told.leaving = leaving_;
    link_->publish(names_.presence(), pack(told));
}

void agent::tell_alive(const std::string& pool)
{
    link_->publish(names_.pool(pool, "alive"), pack(alive_message{id_, desk_.chunks_of(pool)}),
                   names_.agent(id_, "unwanted." + pool));
}

} // namespace twat::mp::detail::cluster
