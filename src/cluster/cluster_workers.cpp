// SPDX-License-Identifier: BSL-1.0
#include "cluster/cluster_workers.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <twat/mp/cluster/host_lost.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include "cluster/local_pools.hpp"
#include "cluster/relay_operation.hpp"

namespace twat::mp::detail::cluster {
namespace {

/// Of a chunk: 20 times what it costs to send one through the stream and to claim it.
constexpr duration chunk_aim = std::chrono::milliseconds(15);
constexpr std::size_t chunk_bytes = std::size_t(512) << 10;

setup_message make_setup(const cluster_options& options)
{
    setup_message setup;
    setup.child_concurrency = options.child_concurrency;
    setup.max_message_size = options.max_message_size;
    const auto encode = [](const task& hook) {
        const attached_bytes encoded = hook ? hook.encode(false) : attached_bytes();
        if (!encoded.sent.empty())
            throw std::invalid_argument("twat::mp::cluster_options: an initializer or finalizer is bound to a "
                                        "shared_vector or shared_span, which cannot travel to another host");
        const auto bytes = encoded.bytes.bytes();
        return std::vector<std::byte>(bytes.begin(), bytes.end());
    };
    setup.initializer = encode(options.initializer);
    setup.finalizer = encode(options.finalizer);
    return setup;
}

worker_loss in_order()
{
    worker_loss loss;
    loss.expected = true;
    return loss;
}

} // namespace

cluster_workers_set::cluster_workers_set(const cluster_options& options, const backend_site& site)
    : options_(options), can_{.encodes = true,
                              .hosts = true,
                              .can_kill = true,
                              .chunk_bytes = chunk_bytes,
                              .chunk_aim = chunk_aim},
      strand_(site.strand), back_(site.link), events_(site.events), self_(std::make_shared<cluster_workers_set*>(this)),
      names_(options.group), id_(make_unique_id()), setup_(make_setup(options)), setup_id_(cluster::setup_id(setup_)),
      members_(names_.build(), options.lease), unconfirmed_(options.lease / 2, options.wait_for_agents),
      timer_(std::in_place, site.strand)
{
    mail_ = std::make_shared<mailbox>([link = back_, weak = std::weak_ptr(self_)] {
        link->post([weak] {
            if (const auto self = weak.lock(); self && *self)
                (*self)->look();
        });
    });
    broker_link::settings s;
    s.url = options_.url;
    s.credentials = options_.credentials;
    s.client = "twat-mp pool of " + program_text() + " (pid " + std::to_string(::getpid()) + ")";
    s.names = names_;
    s.lease = options_.lease;
    s.pool = id_;
    s.replicas = options_.replicas;
    s.beside_a_loop = site.link->beside_a_loop();
    s.subscriptions = {names_.pool(id_, ">"), names_.presence()};
    broker_link::callbacks on;
    on.connected = [mail = mail_](std::size_t most, bool) { mail->connected(most); };
    on.disconnected = [mail = mail_] { mail->disconnected(); };
    on.failed = [mail = mail_](std::string why) { mail->failed(std::move(why)); };
    on.arrived = [mail = mail_, subject = names_.presence()](std::vector<incoming>&& messages) {
        mail->put(std::move(messages), subject);
    };
    on.unanswered = [mail = mail_] { mail->unanswered(); };
    link_ = std::make_unique<broker_link>(std::move(s), std::move(on));
}

cluster_workers_set::~cluster_workers_set() { shut_down(); }

/// For what must not happen inside a call of the engine.
template <class F>
void cluster_workers_set::later(F f)
{
    back_->post([weak = std::weak_ptr(self_), f = std::move(f)]() mutable {
        if (const auto self = weak.lock(); self && *self) {
            f(**self);
            if (const auto still = weak.lock(); still && *still)
                (*still)->events_.decide();
        }
    });
}

// ---------------------------------------------------------------- what the engine asks

void cluster_workers_set::launch(worker_id worker, std::size_t node)
{
    if (ended_)
        return;
    last_place_ = std::max(last_place_, worker);
    places_[worker].node = node;
    later([](cluster_workers_set& set) { set.update_places(); });
}

void cluster_workers_set::end(worker_id worker, end_mode how)
{
    const auto found = places_.find(worker);
    if (found == places_.end() || found->second.leaving)
        return;
    found->second.leaving = true;
    if (how == end_mode::in_order)
        return later([worker](cluster_workers_set& set) { set.report_gone(worker, in_order()); });
    if (how == end_mode::late)
        return later([worker](cluster_workers_set& set) {
            set.broken_ = true;
            set.mail_->listen_for_agents();
            worker_loss loss;
            loss.fails_again = loss.nobody_left = loss.cause_tells_all = true;
            loss.cause = set.why_nobody();
            set.report_gone(worker, std::move(loss));
        });
    worker_loss loss = in_order();
    loss.in_task = true;
    for (const chunk_id id : std::set(found->second.chunks)) {
        const sent_chunk& sent = sent_.at(id);
        if (const auto* const known = ledger_.find(id); known && known->is_given()) {
            tell_to_stop(known->agent, id, true);
            loss.begun.push_back({id, sent.work->count - 1});
        }
        if (const auto what = ledger_.forget(id))
            withdraw(id, *what);
        take(id);
    }
    loss.explain = [](std::uint64_t index) {
        return make_error(errc::host_lost, "the task did not stop in time and was left to itself", index);
    };
    later([worker, loss](cluster_workers_set& set) { set.report_gone(worker, loss); });
}

void cluster_workers_set::report_gone(worker_id worker, worker_loss loss)
{
    if (places_.erase(worker) != 0)
        events_.worker_gone(worker, loss);
}

void cluster_workers_set::submit(worker_id worker, const chunk& work)
{
    sent_chunk sent;
    sent.place = worker;
    sent.work = &work;
    task_message& task = sent.task;
    task.build = names_.build();
    task.pool = id_;
    task.chunk = work.id;
    task.first = work.first;
    task.count = static_cast<std::uint32_t>(work.count);
    task.coroutine = work.coroutine;
    task.timeout = work.timeout;
    task.lease = options_.lease;
    task.setup = setup_id_;
    const std::span<const std::byte> function =
        work.function ? work.function->bytes.bytes() : std::span<const std::byte>();
    const auto& arguments = static_cast<const encoded_payload&>(*work.tasks);
    sent.body = make_task_body(task, function, arguments);
    ledger_.add(work.id);
    places_[worker].chunks.insert(work.id);
    sent_chunk& kept = sent_.insert_or_assign(work.id, std::move(sent)).first->second;
    const bool memory = work.function && !work.function->sent.empty();
    if (!memory && (!arguments.sent() || arguments.sent()->empty())) {
        publish(work.id, kept);
        if (!link_state_.online) // nothing else may come that would look at it
            set_timer();
        return;
    }
    later([id = work.id, descriptors = has_descriptors(arguments.sent())](cluster_workers_set& set) {
        set.refuse(id, errc::encode_failed,
                   descriptors ? "an argument holds a descriptor (a unique_fd or a socket), which cannot travel to "
                                 "another host"
                               : "an argument is or holds a shared_vector or a shared_span, whose memory cannot travel "
                                 "to another host: send a std::vector");
    });
}

std::optional<std::size_t> cluster_workers_set::recall(worker_id worker, chunk_id id)
{
    const auto found = sent_.find(id);
    if (found == sent_.end())
        return 0;
    const auto taken = ledger_.withdraw(id);
    if (!taken)
        return found->second.work->count;
    withdraw(id, *taken);
    take(id);
    later([worker, id](cluster_workers_set& set) { set.events_.chunk_ended(worker, id, duration::zero()); });
    return 0;
}

void cluster_workers_set::cancel(worker_id, chunk_id id)
{
    if (const auto* const known = ledger_.find(id); known && known->is_given())
        tell_to_stop(known->agent, id, false);
}

void cluster_workers_set::abandon(worker_id, chunk_id id)
{
    if (const auto* const known = ledger_.find(id); known && known->is_given())
        tell_to_stop(known->agent, id, true);
    if (const auto what = ledger_.forget(id))
        withdraw(id, *what);
    take(id);
}

void cluster_workers_set::catch_up() { read_mail(); }

worker_set::identity cluster_workers_set::identify(worker_id worker) const
{
    const auto found = places_.find(worker);
    return found == places_.end() ? identity() : identity{found->second.node, 0};
}

// ---------------------------------------------------------------- start and end

void cluster_workers_set::stop(std::function<void()> done)
{
    ended_ = true;
    stopped_ = std::move(done);
    later([](cluster_workers_set& set) {
        for (const auto& [worker, at] : std::exchange(set.places_, {}))
            set.events_.worker_gone(worker, in_order());
        if (const auto stopped = std::exchange(set.stopped_, nullptr))
            stopped();
    });
}

void cluster_workers_set::kill() noexcept
{
    ended_ = true;
    stopped_ = nullptr;
    for (const auto& [id, sent] : std::exchange(sent_, {})) {
        const auto what = ledger_.forget(id);
        if (!what || !link_)
            continue;
        if (what->is_given())
            tell_to_stop(what->agent, id, true);
        withdraw(id, *what);
    }
    ledger_.clear();
    lanes_.clear();
    unconfirmed_.clear();
    fetched_.clear();
    places_.clear();
}

void cluster_workers_set::shut_down() noexcept
{
    *self_ = nullptr;
    kill();
    link_.reset();
    timer_.reset();
    strand_.reset();
}

void cluster_workers_set::set_active(bool active)
{
    if (active_ == active)
        return;
    active_ = active;
    mail_->listen(active);
    if (active)
        roll_call_at_ = {};
    set_timer();
}

// ---------------------------------------------------------------- who is there

void cluster_workers_set::update_hosts()
{
    if (std::vector<host_stats> now = members_.hosts(); now != hosts_) {
        hosts_ = now;
        events_.hosts_changed(std::move(now));
    }
}

/// As many places as the agents have workers, one at least, which is not ready while there is no agent.
void cluster_workers_set::update_places()
{
    if (ended_)
        return;
    const std::size_t capacity = members_.capacity();
    if (capacity == 0) {
        std::vector<worker_id> ready;
        for (const auto& [worker, at] : places_)
            if (at.ready && std::ranges::none_of(at.chunks, [&](chunk_id id) { return ledger_.find(id)->is_given(); }))
                ready.push_back(worker);
        for (const worker_id worker : ready) {
            for (const chunk_id id : std::set(places_.at(worker).chunks)) {
                if (const auto what = ledger_.forget(id))
                    withdraw(id, *what);
                take(id);
            }
            report_gone(worker, in_order());
        }
        // it was never there, and why is known: nobody need wait
        if (!link_state_.failure.empty() && link_state_.connections == 0) {
            std::vector<worker_id> hopeless;
            for (const auto& [worker, at] : places_)
                if (!at.ready && !at.leaving)
                    hopeless.push_back(worker);
            for (const worker_id worker : hopeless)
                end(worker, end_mode::late);
        }
        return;
    }
    if (std::exchange(nodes_, capacity) != capacity)
        events_.nodes_changed(capacity);
    if (std::exchange(broken_, false) && places_.empty()) {
        places_[++last_place_].ready = true;
        events_.worker_ready(last_place_);
    }
    std::vector<worker_id> waiting;
    for (auto& [worker, at] : places_)
        if (!std::exchange(at.ready, at.ready || !at.leaving) && at.ready)
            waiting.push_back(worker);
    for (const worker_id worker : waiting)
        events_.worker_ready(worker);
}

} // namespace twat::mp::detail::cluster
