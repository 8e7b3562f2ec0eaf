// SPDX-License-Identifier: BSL-1.0
#include "process/process_workers.hpp"

#include <algorithm>
#include <utility>

#include "os/available_cpus.hpp"
#include "os/environment.hpp"
#include "os/launch_thread.hpp"
#include "os/run_time.hpp"
#include "process/worker_memory.hpp"
#include "start/usable_cpus.hpp"
#include "start/worker_marker.hpp"

namespace twat::mp::detail {
namespace {

attached_bytes encode(const task& hook, bool by_name) { return hook ? hook.encode(by_name) : attached_bytes(); }

} // namespace

process_workers_set::process_workers_set(pool_strand strand, std::shared_ptr<strand_link> link,
                                         const pool_options& options, std::size_t nodes, backend_events& events)
    : strand_(std::move(strand)), link_(std::move(link)), events_(events), can_{.encodes = true,
                                                                                .by_name = !options.executable.empty(),
                                                                                .can_kill = true,
                                                                                .chunks_per_worker = most_plain_chunks},
      diary_(options.on_event, is_enabled("TWAT_MP_DEBUG")), self_(std::make_shared<process_workers_set*>(this))
{
    const bool foreign = !options.executable.empty();
    resize(nodes);
    settings_.child_concurrency = options.child_concurrency;
    settings_.max_message_size = options.max_message_size;
    settings_.max_rss = options.max_rss_per_child;
    settings_.max_memory = options.max_memory_per_child;
    settings_.recycle_jitter = options.recycle_jitter;
    settings_.child_stderr = options.child_stderr;
    settings_.start_timeout = options.start_timeout;
    settings_.stop_grace = options.stop_grace;
    settings_.cancel_grace = options.cancel_grace;
    settings_.spin = options.spin;
    settings_.executable = options.executable;
    settings_.launcher = std::make_shared<launch_thread>(options.nice);
    settings_.initializer = encode(options.initializer, foreign);
    settings_.state = encode(options.state.maker(), foreign);
    settings_.finalizer = encode(options.finalizer, foreign);
    settings_.parcels = std::make_shared<const parcel_maker>(options, options.state.maker());
    settings_.beside_loop = link_->beside_a_loop();
    settings_.debug = is_enabled("TWAT_MP_DEBUG");
    settings_.chaos = chaos_plan(options.chaos);
    timer_.emplace(*strand_);
}

process_workers_set::~process_workers_set() { shut_down(); }

// ---------------------------------------------------------------- start and end

void process_workers_set::resize(std::size_t nodes)
{
    settings_.nodes = nodes;
    settings_.cpus = std::max<std::size_t>(1, usable_cpus() / nodes);
}

std::size_t process_workers_set::starts_at_once() const noexcept { return available_cpus(); }

void process_workers_set::launch(worker_id id, std::size_t node)
{
    if (ended_)
        return;
    auto worker = std::make_shared<worker_process>(static_cast<worker_owner&>(*this), id, node);
    live_.push_back(worker);
    by_id_.emplace(id, worker);
    if (std::shared_ptr<child> made = worker->launch())
        children_.add(std::move(made));
}

void process_workers_set::end(worker_id id, end_mode how)
{
    const auto worker = find(id);
    if (!worker)
        return;
    switch (how) {
    case end_mode::in_order: worker->leave(); break;
    case end_mode::now: worker->kill(); break;
    case end_mode::late: worker->give_up_start(); break;
    }
    set_timer();
}

std::optional<duration> process_workers_set::start_time_used(worker_id id) const
{
    const auto worker = find(id);
    return worker && worker->pid() != 0 ? run_time_of_sleeper(worker->pid()) : std::nullopt;
}

void process_workers_set::stop(std::function<void()> done)
{
    ended_ = true;
    stopped_ = std::move(done);
    for (const auto& worker : std::vector(live_))
        worker->leave();
    post_pass();
}

void process_workers_set::kill() noexcept
{
    ended_ = true;
    stopped_ = nullptr;
    by_id_.clear();
    touched_.clear();
    read_later_.clear();
    for (const auto& worker : std::exchange(live_, {}))
        worker->detach();
    children_.halt();
    set_timer();
}

void process_workers_set::shut_down() noexcept
{
    *self_ = nullptr;
    kill();
    timer_.reset();
    strand_.reset();
}

void process_workers_set::end_stop()
{
    if (stopped_ && live_.empty())
        std::exchange(stopped_, nullptr)();
}

void process_workers_set::set_active(bool active)
{
    if (active_ == active)
        return;
    active_ = active;
    for (const auto& worker : live_)
        worker->update_waits();
    if (active && std::ranges::any_of(live_, [](const auto& w) { return w->has_news(); }))
        post_pass();
    set_timer();
}

worker_set::identity process_workers_set::identify(worker_id id) const
{
    const auto worker = find(id);
    return worker ? identity{worker->node(), worker->pid()} : identity{};
}

std::vector<dumped_worker> process_workers_set::dump()
{
    std::vector<dumped_worker> busy;
    for (const auto& worker : live_)
        if (auto dumped = worker->dump())
            busy.push_back(std::move(*dumped));
    return busy;
}

// ---------------------------------------------------------------- what the engine asks

std::shared_ptr<worker_process> process_workers_set::find(worker_id id) const noexcept
{
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

void process_workers_set::submit(worker_id id, const chunk& work)
{
    if (const auto worker = find(id)) {
        worker->submit(work);
        touch(*worker);
    }
}

std::shared_ptr<buffer_memory> process_workers_set::memory(worker_id id) const
{
    const auto worker = find(id);
    return worker ? worker->memory() : nullptr;
}

std::optional<std::size_t> process_workers_set::recall(worker_id id, chunk_id chunk)
{
    const auto worker = find(id);
    if (!worker)
        return 0;
    const std::size_t kept = worker->recall(chunk);
    diary_.recalled(worker->identity(), chunk, kept);
    return kept;
}

void process_workers_set::cancel(worker_id id, chunk_id chunk)
{
    if (const auto worker = find(id)) {
        diary_.cancelled(worker->identity(), chunk);
        worker->cancel(chunk);
        touch(*worker);
    }
}

std::optional<backend::running_task> process_workers_set::running(worker_id id, chunk_id chunk) const
{
    const auto worker = find(id);
    return worker ? worker->running(chunk) : std::nullopt;
}

void process_workers_set::take_reports(worker_id id, const std::function<void(task_report&&)>& f)
{
    if (const auto worker = find(id))
        worker->take_reports(f);
}

std::optional<backend::chunk_times> process_workers_set::times(worker_id id, chunk_id chunk) const
{
    const auto worker = find(id);
    return worker ? worker->times(chunk) : std::nullopt;
}

stacktrace process_workers_set::ask_for_stack(worker_id id, chunk_id chunk)
{
    const auto worker = find(id);
    return worker ? worker->ask_for_stack(chunk) : stacktrace();
}

parcel process_workers_set::parcel_of(worker_id id, chunk_id chunk, std::size_t position)
{
    const auto worker = find(id);
    return worker && settings_.parcels->options().timeouts ? worker->parcel_of(chunk, position) : parcel();
}

void process_workers_set::abandon(worker_id id, chunk_id chunk)
{
    if (const auto worker = find(id)) {
        worker->abandon(chunk);
        touch(*worker);
    }
}

// ---------------------------------------------------------------- what the workers tell

void process_workers_set::begin_batch(worker_process& worker)
{
    ++depth_;
    touch(worker);
}

// What the worker is given goes out at the end of the batch; what it waits for may change. Outside one only the timer is left to do.
void process_workers_set::touch(worker_process& worker)
{
    if (depth_ == 0)
        set_timer(worker.next_due());
    else if (touched_.empty() || touched_.back().get() != &worker)
        touched_.push_back(worker.shared_from_this());
}

void process_workers_set::end_batch()
{
    if (depth_ == 1)
        events_.decide();
    settle_batch();
}

void process_workers_set::settle_batch()
{
    if (--depth_ != 0)
        return;
    if (settings_.beside_loop)
        turn_.worked_until(clock::now());
    time_point next = time_point::max();
    while (!touched_.empty()) {
        settled_.swap(touched_);
        for (const auto& worker : settled_) {
            worker->flush();
            worker->update_waits();
            next = std::min(next, worker->next_due());
        }
        settled_.clear();
    }
    set_timer(next);
}

time_point process_workers_set::turn_until() noexcept
{
    return settings_.beside_loop ? turn_.until(clock::now()) : time_point::max();
}

void process_workers_set::read_later(worker_process& worker)
{
    read_later_.push_back(worker.shared_from_this());
    if (std::exchange(turn_posted_, true))
        return;
    link_->post([weak = std::weak_ptr(self_)] {
        if (const auto self = weak.lock(); self && *self)
            (*self)->take_turn();
    });
}

void process_workers_set::take_turn()
{
    turn_posted_ = false;
    turn_.begin_anew();
    auto all = std::exchange(read_later_, {});
    const time_point until = turn_until();
    std::size_t done = 0;
    do
        all[done]->read_on();
    while (++done != all.size() && clock::now() < until);
    for (; done != all.size(); ++done)
        read_later(*all[done]);
}

void process_workers_set::worker_launched(worker_process& worker)
{
    diary_.launched(worker.identity());
    events_.worker_started(worker.id());
}

void process_workers_set::worker_is_ready(worker_process& worker)
{
    diary_.ready(worker.identity());
    events_.worker_ready(worker.id());
}

void process_workers_set::worker_is_gone(worker_process& worker, const worker_end& end)
{
    const auto keep = worker.shared_from_this();
    std::erase(live_, keep);
    by_id_.erase(worker.id());
    children_.remove(worker.process().get());
    if (end.given_up)
        ++abandoned_;
    diary_.gone(worker.identity(), end);
    events_.worker_gone(worker.id(), loss_of(end, settings_));
    end_stop();
}

void process_workers_set::catch_up()
{
    if (!active_)
        return;
    ++depth_;
    for (const auto& worker : std::vector(live_)) {
        touch(*worker);
        worker->catch_up();
    }
    settle_batch();
}

// ---------------------------------------------------------------- time

// Looks at everything that may have happened; not from inside a call of the engine.
void process_workers_set::post_pass()
{
    if (std::exchange(pass_posted_, true))
        return;
    link_->post([weak = std::weak_ptr(self_)] {
        if (const auto self = weak.lock(); self && *self)
            (*self)->pass();
    });
}

void process_workers_set::pass()
{
    pass_posted_ = false;
    if (!active_)
        return;
    ++depth_;
    const time_point now = clock::now();
    for (const auto& worker : std::vector(live_)) {
        touch(*worker);
        worker->settle();
        worker->on_time(now);
    }
    end_stop();
    end_batch();
    set_timer();
}

void process_workers_set::set_timer()
{
    if (!timer_)
        return;
    time_point next = time_point::max();
    if (active_) {
        for (const auto& worker : live_)
            next = std::min(next, worker->next_due());
    }
    if (next == time_point::max()) {
        if (std::exchange(timer_at_, time_point::max()) != time_point::max())
            timer_->cancel();
        return;
    }
    set_timer(next);
}

// At the latest.
void process_workers_set::set_timer(time_point next)
{
    if (!timer_ || !active_ || timer_at_ <= next)
        return; // rings too early at worst, and is set again then
    timer_at_ = next;
    timer_->expires_at(next);
    timer_->async_wait([weak = std::weak_ptr(self_), next](const boost::system::error_code& ec) {
        const auto self = weak.lock();
        if (ec || !self || !*self || (*self)->timer_at_ != next)
            return;
        (*self)->timer_at_ = time_point::max();
        (*self)->pass();
    });
}

std::unique_ptr<worker_set> make_process_workers(pool_strand strand, std::shared_ptr<strand_link> link,
                                                 const pool_options& options, std::size_t nodes, backend_events& events)
{
    return std::make_unique<process_workers_set>(std::move(strand), std::move(link), options, nodes, events);
}

} // namespace twat::mp::detail
