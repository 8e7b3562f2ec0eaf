// SPDX-License-Identifier: BSL-1.0
// What happens to a chunk in an agent: its parts are fetched, it is run, its outcomes are kept until the pool has them, or it is dropped.
#include <boost/asio/post.hpp>

#include <utility>

#include "cluster/agent.hpp"

namespace twat::mp::detail::cluster {

void agent::prepare(const chunk_key& key)
{
    held_chunk& held = held_.at(key);
    if (held.running)
        return;
    if (!held.task.inlined && !held.parts)
        held.parts = std::make_unique<part_reader>(held.task.body_size, part_size(), held.task.lease / 4);
    const bool whole = !held.parts || held.parts->is_whole();
    if (!pools_.knows(held.task.setup) && !setups_.contains(held.task.setup))
        setups_[held.task.setup] = std::make_unique<part_reader>(0, part_size(), held.task.lease / 4);
    if (whole && pools_.knows(held.task.setup))
        return start(key, held);
    ask_for_parts(key, held);
}

void agent::ask_for_parts(const chunk_key& key, held_chunk& held)
{
    const time_point now = clock::now();
    const std::string reply = names_.agent(id_, "part." + key.pool);
    if (held.parts)
        for (const auto& wanted : held.parts->take_requests(now))
            link_->publish(names_.pool(key.pool, "fetch"),
                           pack(part_request{part_of::chunk, key.chunk, wanted.offset, wanted.size}), reply);
    if (!pools_.knows(held.task.setup)) // it is small; asked for as long as it is not here
        link_->publish(names_.pool(key.pool, "fetch"),
                       pack(part_request{part_of::setup, held.task.setup, 0, max_payload_ / 2}), reply);
}

void agent::on_part(const std::string& pool, const incoming& message)
{
    const auto [part, bytes] = unpack<part_message>(message.bytes());
    if (part.what == part_of::setup) {
        if (bytes.empty() || pools_.knows(part.id))
            return;
        pools_.add(part.id, unpack<setup_message>(bytes).first);
        setups_.erase(part.id);
        std::vector<chunk_key> waiting;
        for (const auto& [key, held] : held_)
            if (held.task.setup == part.id && !held.running && desk_.find(key) &&
                desk_.find(key)->at == agent_desk::stage::running)
                waiting.push_back(key);
        for (const chunk_key& key : waiting)
            prepare(key);
        return;
    }
    const chunk_key key{pool, part.id};
    const auto found = held_.find(key);
    if (found == held_.end() || !found->second.parts)
        return;
    if (!found->second.parts->add(part.offset, bytes))
        return drop(key, {}, nullptr); // the pool has dropped it, or speaks nonsense
    prepare(key);
}

void agent::start(const chunk_key& key, held_chunk& held)
{
    if (held.parts)
        held.body = held.parts->take();
    const auto done = [weak = weak_from_this(), strand = strand_, key,
                       begun = clock::now()](std::vector<std::byte> outcomes) {
        asio::post(strand, [weak, key, begun, outcomes = std::move(outcomes)]() mutable {
            if (const auto self = weak.lock(); self && !self->ending_) {
                const duration busy = clock::now() - begun;
                self->short_chunks_ += (busy - self->short_chunks_) / 4;
                self->finished(key, busy, std::move(outcomes));
                self->step();
            }
        });
    };
    try {
        held.running = std::make_shared<relay_operation>(held.task, std::move(held.body), held.remaining, host_, done);
        pools_.get(held.task.setup)->submit(held.running);
    }
    catch (...) {
        outcome_collector none(held.task.count);
        for (std::size_t position = 0; position != none.size(); ++position)
            none.add_failure(position, std::current_exception(), host_);
        done(none.take());
    }
}

void agent::finished(const chunk_key& key, duration busy, std::vector<std::byte> outcomes)
{
    const auto found = held_.find(key);
    if (found != held_.end()) {
        ++chunks_;
        tasks_ += found->second.task.count;
    }
    if (!desk_.finished(key, clock::now()) || found == held_.end())
        return;
    found->second.outcomes = std::move(outcomes);
    found->second.busy = busy;
    found->second.running.reset();
}

void agent::drop(const chunk_key& key, const std::string& ack_subject, const char* ack)
{
    desk_.forget(key);
    if (ack)
        link_->publish_text(ack_subject, ack);
    const auto found = held_.find(key);
    if (found == held_.end())
        return;
    if (const auto running = found->second.running)
        pools_.get(found->second.task.setup)->cancel(running, asio::cancellation_type::terminal);
    held_.erase(found);
}

} // namespace twat::mp::detail::cluster
