// SPDX-License-Identifier: BSL-1.0
#include "cluster/agent.hpp"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <stdexcept>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "os/available_cpus.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail::cluster {
namespace {

constexpr duration presence_interval = std::chrono::milliseconds(500);

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

std::string agent::describe() const
{
    return "agent on " + host_ + ": ran " + std::to_string(tasks_) + " tasks in " + std::to_string(chunks_) + " chunks";
}

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
