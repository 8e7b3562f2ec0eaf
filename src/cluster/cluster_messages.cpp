// SPDX-License-Identifier: BSL-1.0
// What a pool and its agents say to each other, at the pool's end.
#include <algorithm>
#include <charconv>
#include <utility>

#include <twat/mp/cluster/host_lost.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "cluster/cluster_workers.hpp"
#include "cluster/relay_operation.hpp"
#include "time/saturating.hpp"
#include "wire/exception.hpp"

namespace twat::mp::detail::cluster {
namespace {

/// Room in a message for what goes with a body.
constexpr std::size_t overhead = 4096;

std::uint64_t number_behind(std::string_view text, std::string_view key)
{
    std::uint64_t value = 0;
    if (const std::size_t at = text.find(key); at != text.npos)
        std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
    return value;
}

/// The number in the stream of a message that was delivered: `$JS.ACK.stream.consumer.deliveries.NUMBER...`, of newer servers with domain and account
/// in front of the stream.
std::uint64_t sequence_in(std::string_view ack)
{
    const auto dots = std::ranges::count(ack, '.');
    if (dots < 8)
        return 0;
    for (int skipped = dots < 10 ? 5 : 7; skipped != 0; --skipped)
        ack.remove_prefix(ack.find('.') + 1);
    std::uint64_t value = 0;
    std::from_chars(ack.data(), ack.data() + ack.size(), value);
    return value;
}

std::string_view as_text(std::span<const std::byte> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

void cluster_workers_set::read_mail()
{
    if (!link_)
        return;
    const mailbox::contents mail = mail_->take();
    on_link(mail.link);
    if (mail.unanswered && !unconfirmed_.empty())
        link_->look_after_stream(); // perhaps it is gone; what it has not confirmed is published again in a while
    for (const auto& [told, when] : mail.presence)
        members_.heard(told, when);
    for (const incoming& message : mail.messages) {
        try {
            on_message(message);
        }
        catch (const error&) {
            // Malformed, so not from an agent of this build.
        }
    }
}

void cluster_workers_set::on_link(const link_state& now)
{
    const link_state before = std::exchange(link_state_, now);
    unconfirmed_.set_online(now.online, clock::now());
    if (!now.online) {
        if (before.online || now.connections != before.connections) // or it was here and went before anybody looked
            give_up_at_ = options_.wait_for_agents == duration::zero()
                              ? time_point::max()
                              : saturating_add(clock::now(), options_.wait_for_agents);
        return members_.disconnected();
    }
    give_up_at_ = time_point::max();
    if (now.connections == before.connections)
        return;
    max_payload_ = now.max_payload;
    members_.connected(now.since);
    ledger_.came_back();
    // What the broker was sent may be lost. It drops what comes twice under one name; but what agents have taken out of the stream by now, because
    // nobody answered here, it must not take for that. However short the absence was: they may have heard of this pool long before.
    const bool renew = now.came_back_since(before);
    for (const chunk_id id : ledger_.to_publish_again())
        if (const auto found = sent_.find(id); found != sent_.end()) {
            found->second.renewed += renew;
            publish(id, found->second);
        }
    call_roll();
}

void cluster_workers_set::publish(chunk_id id, sent_chunk& sent)
{
    sent.task.inlined = sent.body.size() + overhead <= max_payload_;
    unconfirmed_.published(id, clock::now());
    link_->publish_once(
        names_.task(sent.task.coroutine ? "coroutine" : "plain"),
        pack(sent.task, sent.task.inlined ? std::span<const std::byte>(sent.body) : std::span<const std::byte>()),
        names_.pool(id_, "stored." + std::to_string(id)), make_chunk_name(id_, id, sent.renewed));
}

void cluster_workers_set::on_message(const incoming& message)
{
    const std::string own = names_.pool(id_, "");
    const std::string_view subject = message.subject();
    if (!subject.starts_with(own))
        return;
    const std::string_view what = subject.substr(own.size());
    if (what.starts_with("stored.")) {
        std::uint64_t chunk = 0;
        const std::string_view digits = last_token(what);
        std::from_chars(digits.data(), digits.data() + digits.size(), chunk);
        return on_stored(chunk, message);
    }
    if (what == "claim")
        on_claim(message);
    else if (what == "outcome")
        on_outcome(message);
    else if (what == "alive")
        on_alive(message);
    else if (what == "given_up")
        on_given_up(message);
    else if (what == "fetch")
        on_fetch(message);
    else if (what == "part")
        on_part(message);
}

void cluster_workers_set::on_stored(std::uint64_t chunk, const incoming& message)
{
    unconfirmed_.confirmed(chunk, clock::now());
    const std::string_view answer = as_text(message.bytes());
    if (answer.find("\"error\"") != answer.npos) {
        // The stream is full, or the disk. Waits and queue limits are the broker's; what it refuses fails.
        return refuse(chunk, errc::broker_failed,
                      "the broker at " + without_secrets(options_.url) +
                          " refuses a chunk: " + std::string(answer.substr(0, 500)));
    }
    const std::uint64_t sequence = number_behind(answer, "\"seq\":");
    if (sequence != 0 && !ledger_.stored(chunk, sequence))
        link_->take_out({}, {}, chunk, {sequence}, true);
}

void cluster_workers_set::on_claim(const incoming& message)
{
    const auto [claim, rest] = unpack<claim_message>(message.bytes());
    if (!members_.told_chunks(claim.agent, message.when()))
        return call_roll(); // it asks again, when it is known
    if (auto dropped = ledger_.take_dropped(claim.chunk, claim.agent, claim.delivery))
        lose({claim.chunk, std::move(*dropped)}, claim.host, why_dropped);
    verdict_message told{
        claim.chunk, claim.delivery, ledger_.claim(claim.chunk, claim.agent, claim.delivery, claim.ack), {}};
    if (const auto found = sent_.find(claim.chunk);
        found != sent_.end() && told.answer == verdict::run && !found->second.taker.host) {
        found->second.taker = lanes_.take(claim.host);
        events_.chunk_taken(found->second.place, claim.chunk, found->second.taker);
    }
    if (told.answer == verdict::unknown) // the agent takes it out
        if (const std::uint64_t delivered = sequence_in(claim.ack); delivered != 0)
            link_->take_out({}, {}, claim.chunk, {delivered}, false);
    if (const auto found = sent_.find(claim.chunk);
        found != sent_.end() && found->second.work->deadline != time_point::max())
        told.remaining = std::max(found->second.work->deadline - clock::now(), duration(1));
    link_->publish(std::string(message.reply()), pack(told));
}

void cluster_workers_set::on_outcome(const incoming& message)
{
    const auto [told, body] = unpack<outcome_message>(message.bytes());
    members_.heard(told.agent, message.when());
    const auto found = sent_.find(told.chunk);
    const auto* const known = ledger_.find(told.chunk);
    if (found == sent_.end() || !known || known->agent != told.agent) {
        link_->publish(std::string(message.reply()), pack(settled_message{told.chunk}));
        return;
    }
    if (!told.inlined) {
        if (!found->second.parts) {
            found->second.outcome = told;
            const std::size_t part = std::max<std::size_t>(1024, std::min<std::size_t>(max_payload_ / 2, 512 * 1024));
            fetched_.insert(told.chunk);
            found->second.parts = std::make_unique<part_reader>(told.body_size, part, options_.lease / 4);
            fetch_outcome(told.chunk, found->second, told.agent);
        }
        return;
    }
    link_->publish(std::string(message.reply()), pack(settled_message{told.chunk}));
    settle(told.chunk, told.agent, body, told.busy);
}

void cluster_workers_set::fetch_outcome(chunk_id id, sent_chunk& sent, const std::string& agent)
{
    for (const auto& wanted : sent.parts->take_requests(clock::now()))
        link_->publish(names_.agent(agent, "fetch." + id_),
                       pack(part_request{part_of::outcome, id, wanted.offset, wanted.size}), names_.pool(id_, "part"));
}

void cluster_workers_set::on_part(const incoming& message)
{
    const auto [part, bytes] = unpack<part_message>(message.bytes());
    const auto found = sent_.find(part.id);
    const auto* const known = ledger_.find(part.id);
    if (found == sent_.end() || !found->second.parts || !known)
        return;
    sent_chunk& sent = found->second;
    const std::string agent = known->agent;
    members_.heard(agent, message.when());
    if (!sent.parts->add(part.offset, bytes)) {
        sent.parts.reset(); // it is told again
        return;
    }
    if (!sent.parts->is_whole())
        return fetch_outcome(part.id, sent, agent);
    const std::vector<std::byte> body = sent.parts->take();
    link_->publish(names_.agent(agent, "settled." + id_), pack(settled_message{part.id}));
    settle(part.id, agent, body, sent.outcome->busy);
}

void cluster_workers_set::on_alive(const incoming& message)
{
    const auto [told, rest] = unpack<alive_message>(message.bytes());
    if (!members_.told_chunks(told.agent, message.when()))
        call_roll();
    link_->publish(std::string(message.reply()), pack(unwanted_message{ledger_.unwanted(told.agent, told.chunks)}));
    const membership::agent* const agent = members_.find(told.agent);
    for (const auto& lost : ledger_.reconcile(told.agent, told.chunks))
        lose(lost, agent ? agent->told.host : "an agent", why_dropped);
}

// An agent whose link was cut takes its pools for gone. What it had not been given yet is in nobody's hands then, and not in the stream.
void cluster_workers_set::on_given_up(const incoming& message)
{
    const auto [told, rest] = unpack<given_up_message>(message.bytes());
    const auto found = sent_.find(told.chunk);
    if (found == sent_.end() || !ledger_.is_to_be_published_again(told.chunk))
        return;
    ++found->second.renewed; // under its old name it would be taken for one that comes twice
    publish(told.chunk, found->second);
}

void cluster_workers_set::on_fetch(const incoming& message)
{
    const auto [wanted, rest] = unpack<part_request>(message.bytes());
    const part_message told{wanted.what, wanted.id, wanted.offset};
    if (wanted.what == part_of::setup) {
        if (wanted.id == setup_id_)
            link_->publish(std::string(message.reply()), pack(told, pack(setup_)));
        return;
    }
    const auto found = sent_.find(wanted.id);
    link_->publish(std::string(message.reply()),
                   pack(told, found == sent_.end() ? std::span<const std::byte>()
                                                   : find_part(found->second.body, wanted.offset, wanted.size)));
}

// ---------------------------------------------------------------- how chunks end

std::optional<cluster_workers_set::sent_chunk> cluster_workers_set::take(chunk_id id)
{
    unconfirmed_.settled(id);
    fetched_.erase(id);
    auto taken = sent_.extract(id);
    if (taken.empty())
        return std::nullopt;
    lanes_.give_back(taken.mapped().taker);
    if (const auto at = places_.find(taken.mapped().place); at != places_.end())
        at->second.chunks.erase(id);
    return std::move(taken.mapped());
}

void cluster_workers_set::settle(chunk_id id, const std::string& agent, std::span<const std::byte> body, duration busy)
{
    const auto what = ledger_.settle(id, agent);
    if (!what)
        return;
    withdraw(id, *what);
    if (const auto sent = take(id))
        report(id, *sent, body, busy);
}

void cluster_workers_set::report(chunk_id id, const sent_chunk& sent, std::span<const std::byte> body, duration busy)
{
    const std::size_t count = sent.work->count;
    const std::uint64_t first = sent.work->first;
    try {
        const outcome_reader outcomes(body, count);
        for (std::size_t position = 0; position < count;) {
            if (const std::size_t n = outcomes.neighbours(position); n > 1) {
                const auto bytes = outcomes.bytes(outcomes[position]);
                const encoded_values values{bytes.data(), bytes.size(), bytes.size()};
                events_.tasks_finished(sent.place, id, position, n, &values);
                position += n;
                continue;
            }
            const outcome_record record = outcomes[position];
            decoder in(outcomes.bytes(record));
            if (record.what == outcome_record::value)
                events_.task_finished(sent.place, id, position, &in);
            else if (record.what == outcome_record::failure)
                events_.task_failed(sent.place, id, position, decode_exception(in, first + position, record.pid));
            else
                break; // `chunk_ended` says that it is missing
            ++position;
        }
    }
    catch (const error&) {
        // The same for all of them.
    }
    events_.chunk_ended(sent.place, id, busy);
}

void cluster_workers_set::refuse(chunk_id id, errc code, const std::string& why)
{
    const auto what = ledger_.forget(id);
    const auto sent = take(id);
    if (!what || !sent)
        return;
    withdraw(id, *what); // the stream may have it all the same
    for (std::size_t position = 0; position != sent->work->count; ++position)
        events_.task_failed(sent->place, id, position,
                            make_error(code, why, static_cast<std::size_t>(sent->work->first + position)));
    events_.chunk_ended(sent->place, id, duration::zero());
}

void cluster_workers_set::lose(const chunk_ledger::lost_chunk& lost, const std::string& host, const std::string& why)
{
    withdraw(lost.id, lost.what);
    tell_to_stop(lost.what.agent, lost.id, true); // should it still hear
    const auto sent = take(lost.id);
    if (!sent)
        return;
    worker_loss loss;
    loss.begun.push_back({lost.id, sent->work->count - 1});
    loss.in_task = true;
    loss.explain = [host, why](std::uint64_t index) {
        return std::make_exception_ptr(host_lost(host, static_cast<std::size_t>(index), why));
    };
    events_.chunk_lost(sent->place, lost.id, loss);
}

/// Takes a chunk out of the stream: by its acknowledgement, if it was delivered, or by its number.
void cluster_workers_set::withdraw(chunk_id id, const chunk_ledger::outstanding& what)
{
    std::vector<std::uint64_t> sequences = what.sequences;
    if (const std::uint64_t delivered = sequence_in(what.ack);
        delivered != 0 && std::ranges::find(sequences, delivered) == sequences.end())
        sequences.push_back(delivered);
    const bool doubtful = what.outlived || sequences.size() > 1;
    if (doubtful) // another chunk may have its number by now
        link_->take_out({}, {}, id, std::move(sequences), true);
    else if (!what.ack.empty())
        link_->take_out(what.ack, "+ACK", id, std::move(sequences), false);
    else if (!sequences.empty()) {
        std::string request = "{\"seq\":" + std::to_string(sequences.front()) + ",\"no_erase\":true}";
        link_->take_out(names_.delete_task(), std::move(request), id, std::move(sequences), false);
    }
}

void cluster_workers_set::tell_to_stop(const std::string& agent, chunk_id id, bool by_force)
{
    link_->publish(names_.agent(agent, "stop." + id_), pack(stop_message{id, by_force}));
}

} // namespace twat::mp::detail::cluster
