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

std::unique_ptr<worker_set> make_process_workers(pool_strand strand, std::shared_ptr<strand_link> link,
                                                 const pool_options& options, std::size_t nodes, backend_events& events)
{
    return std::make_unique<process_workers_set>(std::move(strand), std::move(link), options, nodes, events);
}

} // namespace twat::mp::detail
