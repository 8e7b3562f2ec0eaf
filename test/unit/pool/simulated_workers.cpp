// SPDX-License-Identifier: BSL-1.0
#include "simulated_workers.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <twat/mp/error.hpp>

#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "backend/worker_set.hpp"
#include "function/function.hpp"
#include "start/worker_context.hpp"
#include "time/saturating.hpp"

namespace twat::mp::test {

using namespace detail;

// ---------------------------------------------------------------- the network

simulated_network::simulated_network(duration latency) : latency_(latency), thread_([this] { deliver(); }) {}

simulated_network::~simulated_network()
{
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

void simulated_network::after(duration time, std::function<void()> message)
{
    std::lock_guard lock(mutex_);
    messages_.emplace(saturating_add(detail::clock::now(), time), std::move(message));
    changed_.notify_all();
}

void simulated_network::deliver()
{
    std::unique_lock lock(mutex_);
    while (!ended_) {
        if (messages_.empty()) {
            changed_.wait(lock);
            continue;
        }
        if (const time_point due = messages_.begin()->first; due > detail::clock::now()) {
            changed_.wait_until(lock, due);
            continue;
        }
        const auto message = std::move(messages_.begin()->second);
        messages_.erase(messages_.begin());
        lock.unlock();
        message();
        lock.lock();
    }
}

// ---------------------------------------------------------------- what both sides know

namespace {
class simulated_set;

/// A chunk as it travels.
struct sent_chunk
{
    chunk_id id = 0;
    std::uint64_t first = 0;
    duration timeout{};
    bool coroutine = false;
    byte_buffer function;
    std::vector<std::vector<std::byte>> arguments;
    std::shared_ptr<simulated_inbox> from;
};

struct outcome
{
    std::exception_ptr error;
    std::vector<std::byte> value;
};

std::exception_ptr lost_host(std::uint64_t index)
{
    return make_error(errc::worker_died, "its host is gone", static_cast<std::size_t>(index));
}

} // namespace

/// Where what the members say to one pool arrives. The pool may be gone.
class simulated_inbox : public std::enable_shared_from_this<simulated_inbox>
{
public:
    simulated_inbox(simulated_set& set, std::shared_ptr<strand_link> link) : link_(std::move(link)), set_(&set) {}

    /// From the network: runs `f(set)` on the strand of the pool.
    void post(std::function<void(simulated_set&)> f)
    {
        link_->post([self = shared_from_this(), f = std::move(f)] { self->run(f); });
    }
    void run(const std::function<void(simulated_set&)>& f)
    {
        std::lock_guard lock(mutex_);
        if (set_)
            f(*set_);
    }
    void close()
    {
        closed = true;
        std::lock_guard lock(mutex_);
        set_ = nullptr;
    }

    void is_there(worker_id member);
    void outcome_of(worker_id member, chunk_id id, std::size_t position, std::shared_ptr<const outcome> what);
    void end_of(worker_id member, chunk_id id, duration busy);
    void answer(worker_id member, chunk_id id, std::size_t kept);
    void is_gone(worker_id member, std::vector<worker_loss::begun_task> begun, bool expected);

    std::atomic<bool> closed{false}; ///< Nobody wants anything of it any more.

private:
    const std::shared_ptr<strand_link> link_;
    std::recursive_mutex mutex_;
    simulated_set* set_;
};

// ---------------------------------------------------------------- the other side

/// A worker: knows what the network has brought, and says what it does over the network.
class simulated_member : public std::enable_shared_from_this<simulated_member>
{
public:
    simulated_member(worker_id id, simulated_hosts& hosts) : id_(id), hosts_(hosts), network_(hosts.network()) {}

    void start()
    {
        thread_ = std::thread([self = shared_from_this()] { self->serve(); });
    }
    void join() { thread_.join(); }

    void accept(std::shared_ptr<const sent_chunk> work)
    {
        std::lock_guard lock(mutex_);
        if (over_)
            return; // its sender learns that this worker is gone
        held_.push_back({work, work->arguments.size()});
        changed_.notify_all();
    }

    /// Returns how many tasks are given back.
    std::size_t recall(const std::shared_ptr<simulated_inbox>& from, chunk_id id)
    {
        std::lock_guard lock(mutex_);
        held* const h = find(*from, id);
        if (over_ || !h)
            return 0; // it has ended, which is on its way
        const std::size_t kept = h->next;
        const std::size_t back = h->keep - kept;
        h->keep = kept;
        network_.send([from, id, kept, member = id_] { from->answer(member, id, kept); });
        return back;
    }

    void cancel(const simulated_inbox& from, chunk_id id)
    {
        std::lock_guard lock(mutex_);
        if (held* const h = find(from, id))
            h->stop.request_stop();
    }

    /// A task that ran out of time is told so at once, and what it returns then is nobody's.
    void expire(const std::shared_ptr<simulated_inbox>& from, chunk_id id, std::size_t position, std::uint64_t index)
    {
        std::lock_guard lock(mutex_);
        held* const h = find(*from, id);
        if (over_ || !h || h->told > position)
            return;
        h->stop.request_stop();
        tell(*h, position, {make_error(errc::task_timed_out, {}, static_cast<std::size_t>(index)), {}});
    }

    /// Goes when its task has ended.
    void leave()
    {
        std::lock_guard lock(mutex_);
        leaving_ = true; // the thread says so when it is gone
        changed_.notify_all();
    }

    /// Is gone, whatever it does.
    void vanish(bool expected)
    {
        std::lock_guard lock(mutex_);
        go(expected);
    }

private:
    struct held
    {
        std::shared_ptr<const sent_chunk> work;
        std::size_t keep;
        std::size_t next = 0; // to begin
        std::size_t told = 0; // outcomes
        std::stop_source stop{};
    };

    held* find(const simulated_inbox& from, chunk_id id)
    {
        for (held& h : held_)
            if (h.work->id == id && h.work->from.get() == &from)
                return &h;
        return nullptr;
    }

    void tell(held& h, std::size_t position, outcome what)
    {
        h.told = position + 1;
        network_.send([from = h.work->from, id = h.work->id, position, member = id_,
                       what = std::make_shared<const outcome>(std::move(what))] {
            from->outcome_of(member, id, position, what);
        });
    }

    void go(bool expected)
    {
        if (std::exchange(over_, true))
            return;
        std::map<std::shared_ptr<simulated_inbox>, std::vector<worker_loss::begun_task>> begun;
        for (held& h : held_) {
            auto& of_pool = begun[h.work->from];
            if (h.next > h.told)
                of_pool.push_back({h.work->id, h.told});
            h.stop.request_stop(); // so that the thread comes to its end
        }
        hosts_.announce_end(id_, std::move(begun), expected);
        changed_.notify_all();
    }

    void serve()
    {
        asio::io_context loop;
        worker_context context;
        context.executor = loop.get_executor();
        enter_worker(&context);
        std::unique_lock lock(mutex_);
        for (;;) {
            if (leaving_)
                go(true);
            if (over_)
                return;
            std::erase_if(held_, [](const held& h) { return h.work->from->closed && h.next == h.told; });
            if (held_.empty()) {
                changed_.wait(lock);
                continue;
            }
            run(held_.front(), loop, context, lock);
        }
    }

    /// Runs the chunk that it has come to.
    void run(held& h, asio::io_context& loop, worker_context& context, std::unique_lock<std::mutex>& lock)
    {
        const time_point since = detail::clock::now();
        const auto work = h.work;
        while (h.next < h.keep && !over_ && !leaving_ && !work->from->closed) {
            const std::size_t position = h.next++;
            h.stop = std::stop_source();
            const std::stop_source stop = h.stop;
            context.stop = work->coroutine ? nullptr : &stop;
            if (work->timeout != duration::zero())
                network_.after(work->timeout, [weak = weak_from_this(), work, position] {
                    if (const auto self = weak.lock())
                        self->expire(work->from, work->id, position, work->first + position);
                });
            lock.unlock();
            outcome what = call(*work, position, loop);
            lock.lock();
            context.stop = nullptr;
            if (!over_ && h.told == position)
                tell(h, position, std::move(what));
        }
        if (over_ || h.next < h.keep)
            return;
        network_.send([from = work->from, id = work->id, member = id_, busy = detail::clock::now() - since] {
            from->end_of(member, id, busy);
        });
        held_.pop_front();
    }

    static outcome call(const sent_chunk& work, std::size_t position, asio::io_context& loop)
    {
        const auto& arguments = work.arguments[position];
        encoder result;
        std::unique_ptr<worker_function> function;
        try {
            decoder state(work.function.bytes());
            function = decode_function(state);
            if (function->is_coroutine()) {
                std::exception_ptr error;
                asio::co_spawn(loop, function->call_async(decoder(arguments), result),
                               [&](std::exception_ptr e) { error = std::move(e); });
                loop.restart();
                loop.run();
                if (error)
                    std::rethrow_exception(error);
            } else {
                decoder in(arguments);
                function->call(in, result);
            }
            return {nullptr, {result.bytes().begin(), result.bytes().end()}};
        }
        catch (...) {
            return {annotate(std::current_exception(), work.first + position,
                             function ? function->describe(decoder(arguments)) : std::string()),
                    {}};
        }
    }

    const worker_id id_;
    simulated_hosts& hosts_;
    simulated_network& network_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<held> held_;
    bool leaving_ = false, over_ = false;
    std::thread thread_;
};

// ---------------------------------------------------------------- who is there

simulated_hosts::simulated_hosts(duration latency, std::size_t members) : network_(latency)
{
    for (; members != 0; --members)
        come();
}

simulated_hosts::~simulated_hosts()
{
    for (auto& [id, member] : members_)
        member->vanish(true);
    for (auto& [id, member] : members_)
        member->join();
    for (auto& member : gone_)
        member->join();
}

worker_id simulated_hosts::come()
{
    std::lock_guard lock(mutex_);
    const worker_id id = ++last_;
    const auto made = std::make_shared<simulated_member>(id, *this);
    made->start();
    members_.emplace(id, made);
    for (const auto& weak : pools_)
        if (const auto pool = weak.lock())
            network_.send([pool, id] { pool->is_there(id); });
    return id;
}

void simulated_hosts::leave(worker_id id)
{
    std::lock_guard lock(mutex_);
    const auto node = members_.extract(id);
    if (node.empty())
        return;
    node.mapped()->leave();
    gone_.push_back(node.mapped());
}

void simulated_hosts::lose(worker_id id)
{
    std::lock_guard lock(mutex_);
    const auto node = members_.extract(id);
    if (node.empty())
        return;
    node.mapped()->vanish(false);
    gone_.push_back(node.mapped());
}

std::size_t simulated_hosts::members() const
{
    std::lock_guard lock(mutex_);
    return members_.size();
}

std::shared_ptr<simulated_member> simulated_hosts::find(worker_id id) const
{
    std::lock_guard lock(mutex_);
    const auto found = members_.find(id);
    return found == members_.end() ? nullptr : found->second;
}

void simulated_hosts::attach(const std::shared_ptr<simulated_inbox>& pool)
{
    std::lock_guard lock(mutex_);
    pools_.push_back(pool);
    for (const auto& [id, member] : members_)
        network_.send([pool, id = id] { pool->is_there(id); });
}

void simulated_hosts::announce_end(
    worker_id member, std::map<std::shared_ptr<simulated_inbox>, std::vector<worker_loss::begun_task>> begun,
    bool expected)
{
    network_.send([this, member, begun = std::move(begun), expected] {
        std::lock_guard lock(mutex_);
        for (const auto& weak : pools_)
            if (const auto pool = weak.lock()) {
                const auto found = begun.find(pool);
                pool->is_gone(member, found == begun.end() ? std::vector<worker_loss::begun_task>() : found->second,
                              expected);
            }
    });
}

// ---------------------------------------------------------------- this side

namespace {

class simulated_set final : public worker_set
{
public:
    simulated_set(const backend_site& site, const simulated_options& options)
        : events_(site.events), link_(site.link), hosts_(options.hosts), patience_(options.patience),
          inbox_(std::make_shared<simulated_inbox>(*this, site.link))
    {
        hosts_->attach(inbox_);
    }
    ~simulated_set() override { inbox_->close(); }

    const capabilities& can() const noexcept override
    {
        static const capabilities can{.encodes = true,
                                      .launches = false,
                                      .can_kill = true,
                                      .chunks_per_worker = 8,
                                      .chunks_ahead = 3,
                                      .chunk_bytes = 1 << 16,
                                      .chunk_items = 500,
                                      .chunk_aim = std::chrono::milliseconds(20)};
        return can;
    }

    void submit(worker_id worker, const chunk& work) override
    {
        auto sent = std::make_shared<sent_chunk>();
        sent->id = work.id;
        sent->first = work.first;
        sent->timeout = work.timeout;
        sent->coroutine = work.coroutine;
        const auto function = work.function->bytes.bytes();
        sent->function.append(function.data(), function.size());
        auto& tasks = static_cast<encoded_payload&>(*work.tasks);
        for (std::size_t i = 0; i != work.count; ++i)
            sent->arguments.emplace_back(tasks[i].begin(), tasks[i].end());
        sent->from = inbox_;
        send(worker, [sent](simulated_member& member) { member.accept(sent); });
    }

    std::optional<std::size_t> recall(worker_id worker, chunk_id id) override
    {
        ++hosts_->recalls;
        send(worker, [hosts = hosts_.get(), from = inbox_, id](simulated_member& member) {
            hosts->taken_back += member.recall(from, id);
        });
        return std::nullopt;
    }

    void cancel(worker_id worker, chunk_id id) override
    {
        send(worker, [from = inbox_, id](simulated_member& member) { member.cancel(*from, id); });
    }

    void abandon(worker_id worker, chunk_id id) override { cancel(worker, id); }

    void launch(worker_id, std::size_t) override { std::terminate(); } // never asked for

    // It is cut off, whatever it does, and another one comes.
    void end(worker_id worker, end_mode) override
    {
        hosts_->network().send([hosts = hosts_.get(), worker] {
            hosts->lose(worker);
            hosts->come();
        });
    }

    void stop(std::function<void()> done) override
    {
        hosts_->network().send([from = inbox_, done = std::move(done)] {
            from->post([done](simulated_set& self) {
                self.silent_ = true;
                done();
            });
        });
    }
    void kill() noexcept override
    {
        silent_ = true;
        inbox_->closed = true;
    }
    void shut_down() noexcept override { kill(); }
    void halt() noexcept override { inbox_->closed = true; }

    void set_active(bool active) override
    {
        active_ = active;
        if (active && !std::exchange(looks_, true))
            look_later();
    }

    // From the network.
    void is_there(worker_id member)
    {
        if (silent_ || !known_.insert(member).second)
            return;
        ready_.insert(member);
        events_.worker_ready(member);
        events_.decide();
    }
    void is_gone(worker_id member, const std::vector<worker_loss::begun_task>& begun, bool expected)
    {
        known_.insert(member); // it may have gone before it was seen
        if (silent_ || ready_.erase(member) == 0)
            return;
        worker_loss loss;
        loss.begun = begun;
        loss.expected = expected;
        loss.in_task = !begun.empty();
        loss.explain = lost_host;
        loss.cause = [] { return make_error(errc::worker_died, "its host is gone"); };
        events_.worker_gone(member, loss);
        events_.decide();
    }
    void outcome_of(worker_id member, chunk_id id, std::size_t position, const outcome& what)
    {
        if (silent_)
            return;
        if (what.error) {
            events_.task_failed(member, id, position, what.error);
        } else {
            decoder value(what.value);
            events_.task_finished(member, id, position, &value);
        }
        events_.decide();
    }
    template <class Tell>
    void tell(Tell&& tell)
    {
        if (silent_)
            return;
        tell(events_);
        events_.decide();
    }

private:
    template <class F>
    void send(worker_id worker, F f)
    {
        hosts_->network().send([hosts = hosts_.get(), worker, f = std::move(f)] {
            if (const auto member = hosts->find(worker))
                f(*member);
        });
    }

    void look_later()
    {
        hosts_->network().after(patience_ / 4,
                                [from = inbox_] { from->post([](simulated_set& self) { self.look(); }); });
    }

    void look()
    {
        looks_ = active_ && !silent_;
        if (!looks_)
            return;
        if (ready_.empty()) {
            events_.unusable([] { return make_error(errc::worker_start_failed, "no host is there"); },
                             detail::clock::now() - patience_);
            events_.decide();
        }
        look_later();
    }

    backend_events& events_;
    const std::shared_ptr<strand_link> link_;
    const std::shared_ptr<simulated_hosts> hosts_;
    const duration patience_;
    const std::shared_ptr<simulated_inbox> inbox_;
    std::set<worker_id> known_, ready_;
    bool active_ = false, looks_ = false, silent_ = false;
};

class simulated_factory final : public backend_factory
{
public:
    explicit simulated_factory(simulated_options given)
        : backend_factory(pool_options{.nodes = 1, .child_concurrency = 4}), given_(std::move(given))
    {
        if (!given_.hosts)
            refuse_option("simulated_options::hosts", "is not set");
    }
    std::size_t count_nodes(std::size_t wanted, const char*) const override { return wanted != 0 ? wanted : 1; }
    std::unique_ptr<worker_set> make(const backend_site& site) const override
    {
        return std::make_unique<simulated_set>(site, given_);
    }

private:
    const simulated_options given_;
};

} // namespace

void simulated_inbox::is_there(worker_id member)
{
    post([member](simulated_set& set) { set.is_there(member); });
}

void simulated_inbox::outcome_of(worker_id member, chunk_id id, std::size_t position,
                                 std::shared_ptr<const outcome> what)
{
    post([=](simulated_set& set) { set.outcome_of(member, id, position, *what); });
}

void simulated_inbox::end_of(worker_id member, chunk_id id, duration busy)
{
    post([=](simulated_set& set) { set.tell([&](backend_events& events) { events.chunk_ended(member, id, busy); }); });
}

void simulated_inbox::answer(worker_id member, chunk_id id, std::size_t kept)
{
    post([=](simulated_set& set) { set.tell([&](backend_events& events) { events.recalled(member, id, kept); }); });
}

void simulated_inbox::is_gone(worker_id member, std::vector<worker_loss::begun_task> begun, bool expected)
{
    post([member, begun = std::move(begun), expected](simulated_set& set) { set.is_gone(member, begun, expected); });
}

std::shared_ptr<const backend_factory> simulated_workers::make(simulated_options given)
{
    return std::make_shared<const simulated_factory>(std::move(given));
}

} // namespace twat::mp::test
