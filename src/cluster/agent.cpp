// SPDX-License-Identifier: BSL-1.0
#include "cluster/agent.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "os/available_cpus.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration presence_interval = std::chrono::milliseconds(500);
constexpr duration pull_pause = std::chrono::milliseconds(100);
/// Chunks that are shorter are fetched before a worker is free for them; others may wait for whoever is free first.
constexpr duration short_chunk = std::chrono::milliseconds(20);
/// A pull ends by itself after this; one that has had no answer by then never will.
constexpr std::int64_t pull_expires = 2'000'000'000;
constexpr duration pull_patience{pull_expires + 500'000'000};
constexpr std::size_t most_greeted = 4096;

std::string own_host()
{
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "unknown host";
}

agent_options checked(agent_options options)
{
    if (options.url.empty())
        throw std::invalid_argument("agent_options::url is empty; it names the broker, as nats://host:4222");
    if (options.drain < duration::zero())
        throw std::invalid_argument("agent_options::drain must not be negative");
    if (options.local.initializer || options.local.finalizer)
        throw std::invalid_argument(
            "agent_options::local: initializer and finalizer come from the pools (cluster_options::initializer)");
    return options;
}

bool is_status(const incoming& message) { return message.bytes().empty() && !message.status().empty(); }

} // namespace

agent::agent(asio::any_io_executor executor, agent_options options)
    : strand_(asio::make_strand(executor)), options_(checked(std::move(options))),
      nodes_(options_.local.nodes != 0 ? options_.local.nodes : available_cpus()), id_(make_unique_id()),
      host_(options_.host.empty() ? own_host() : options_.host), names_(options_.group),
      desk_(options_.local.cancel_grace), pools_(executor, options_.local, nodes_), timer_(strand_),
      presence_every_(presence_interval)
{}

agent::~agent() = default;

void agent::run(std::function<void(std::exception_ptr)> done)
{
    done_ = std::move(done);
    broker_link::settings s;
    s.url = options_.url;
    s.credentials = options_.credentials;
    s.client = "twat-mp agent on " + host_ + " (pid " + std::to_string(::getpid()) + ")";
    s.names = names_;
    s.owns_stream = false;
    s.subscriptions = {names_.agent(id_, ">"), names_.roll_call()};
    const auto on_strand = [weak = weak_from_this(), strand = strand_](auto f) {
        asio::post(strand, [weak, f = std::move(f)]() mutable {
            if (const auto self = weak.lock(); self && !self->ending_) {
                f(*self);
                self->step();
            }
        });
    };
    broker_link::callbacks on;
    on.connected = [on_strand](std::size_t most, bool again) {
        on_strand([=](agent& a) { a.on_connected(most, again); });
    };
    on.disconnected = [on_strand] {
        on_strand([](agent& a) {
            a.online_ = false;
            a.desk_.disconnected();
        });
    };
    on.failed = [on_strand](std::string why) { on_strand([why = std::move(why)](agent& a) { a.on_failed(why); }); };
    on.arrived = [on_strand](std::vector<incoming>&& messages) {
        on_strand([batch = std::move(messages)](agent& a) {
            for (const incoming& message : batch)
                a.on_message(message);
        });
    };
    on.unanswered = [on_strand] { on_strand([](agent& a) { a.desk_.unanswered(clock::now()); }); };
    link_ = std::make_unique<broker_link>(std::move(s), std::move(on));
}

// ---------------------------------------------------------------- the broker

void agent::on_connected(std::size_t max_payload, bool)
{
    online_ = ever_online_ = true;
    max_payload_ = max_payload;
    asked_for_ = 0;
    pull_again_ = time_point::max();
    desk_.connected(clock::now());
    tell_presence();
}

void agent::on_failed(const std::string& why)
{
    if (!ever_online_)
        end(make_error(errc::broker_failed, why));
}

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

// ---------------------------------------------------------------- what chunks need before they can run

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

// ---------------------------------------------------------------- what pools ask for

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

// ---------------------------------------------------------------- what is sent

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

// ---------------------------------------------------------------- step by step

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

std::string agent::describe() const
{
    return "agent on " + host_ + ": ran " + std::to_string(tasks_) + " tasks in " + std::to_string(chunks_) + " chunks";
}

// ---------------------------------------------------------------- the end

void agent::leave()
{
    asio::post(strand_, [self = shared_from_this()] { self->begin_to_leave(); });
}

void agent::stop()
{
    asio::post(strand_, [self = shared_from_this()] {
        self->begin_to_leave();
        self->end_if_empty(true);
    });
}

void agent::begin_to_leave()
{
    if (ending_ || std::exchange(leaving_, true))
        return;
    leave_by_ = saturating_add(clock::now(), options_.drain);
    tell_presence();
    for (const auto& [key, entry] : desk_.take_waiting()) {
        link_->publish_text(entry.ack, "-NAK");
        held_.erase(key);
    }
    step();
}

void agent::end_if_empty(bool now)
{
    if (leaving_ && !ending_ && (now || desk_.size() == 0))
        end(nullptr);
}

void agent::end(std::exception_ptr error)
{
    if (std::exchange(ending_, true))
        return;
    timer_.cancel();
    for (const auto& [key, held] : held_)
        if (held.running)
            pools_.get(held.task.setup)->cancel(held.running, asio::cancellation_type::terminal);
    held_.clear();
    pools_.join([self = shared_from_this(), error] {
        asio::post(self->strand_, [self, error] {
            self->link_.reset();
            if (const auto done = std::exchange(self->done_, nullptr))
                done(error);
        });
    });
}

} // namespace twat::mp::detail::cluster
