// SPDX-License-Identifier: BSL-1.0
#include "process/process_workers.hpp"

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "os/available_cpus.hpp"
#include "os/environment.hpp"
#include "os/available_cpus.hpp"
#include "os/launch_thread.hpp"
#include "os/run_time.hpp"
#include "start/worker_marker.hpp"

namespace twat::mp::detail {
namespace {

/// Of what workers have sent, on a loop that others use. What is decided and sent after it takes as long again.
constexpr duration turn = std::chrono::microseconds(30);
/// Who comes sooner behind the end of a turn was in line with it: nobody else can have had one in between.
constexpr duration between_turns = std::chrono::microseconds(2);

byte_buffer encode(const task& hook, bool by_name) { return hook ? hook.encode(by_name) : byte_buffer(); }

} // namespace

process_workers_set::process_workers_set(pool_strand strand, std::shared_ptr<strand_link> link, const pool_options& options,
                                         std::size_t nodes, backend_events& events)
    : strand_(std::move(strand)),
      link_(std::move(link)),
      events_(events),
      on_event_(options.on_event),
      policy_(options.restarts, nodes, static_cast<std::uint32_t>(make_nonce())),
      turns_(available_cpus(), nodes),
      self_(std::make_shared<process_workers_set*>(this)),
      places_(nodes)
{
    const bool foreign = !options.executable.empty();
    settings_.nodes = nodes;
    settings_.child_concurrency = options.child_concurrency;
    settings_.max_message_size = options.max_message_size;
    settings_.max_rss = options.max_rss_per_child;
    settings_.max_memory = options.max_memory_per_child;
    settings_.cpus = std::max<std::size_t>(1, usable_cpus() / nodes);
    settings_.recycle_jitter = options.recycle_jitter;
    settings_.child_stderr = options.child_stderr;
    settings_.start_timeout = options.start_timeout;
    settings_.stop_grace = options.stop_grace;
    settings_.cancel_grace = options.cancel_grace;
    settings_.spin = options.spin;
    settings_.executable = options.executable;
    settings_.launcher = std::make_shared<launch_thread>(options.nice);
    settings_.initializer = encode(options.initializer, foreign);
    settings_.finalizer = encode(options.finalizer, foreign);
    settings_.beside_loop = link_->beside_a_loop();
    settings_.debug = is_enabled("TWAT_MP_DEBUG");
    timer_.emplace(*strand_);
}

process_workers_set::~process_workers_set() { shut_down(); }

// ---------------------------------------------------------------- start and end

void process_workers_set::start()
{
    for (std::size_t node = 0; node < places_.size(); ++node)
        want_start(node);
    set_timer();
}

// Starts a worker for the node when it is its turn.
void process_workers_set::want_start(std::size_t node)
{
    places_[node].start_at = time_point::max();
    turns_.want(node);
    begin_starts();
}

void process_workers_set::begin_starts()
{
    while (!starts_none()) {
        const auto node = turns_.next();
        if (!node)
            return;
        launch(*node);
    }
}

void process_workers_set::launch(std::size_t node)
{
    auto worker = std::make_shared<worker_process>(static_cast<worker_owner&>(*this), ++last_id_, node);
    live_.push_back(worker);
    by_id_.emplace(worker->id(), worker);
    places_[node].worker = worker;
    turns_.begun(worker->id(), clock::now());
    if (std::shared_ptr<child> made = worker->launch())
        children_.add(std::move(made));
}

void process_workers_set::stop(std::function<void()> done)
{
    ended_ = true;
    stopped_ = std::move(done);
    turns_.clear();
    for (place& p : places_)
        p.start_at = time_point::max();
    for (const auto& worker : std::vector(live_))
        worker->leave();
    post_pass();
}

void process_workers_set::kill() noexcept
{
    ended_ = true;
    stopped_ = nullptr;
    turns_.clear();
    for (place& p : places_) {
        p.start_at = time_point::max();
        p.worker.reset();
    }
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
    if (active && (turns_.waiting() || std::ranges::any_of(live_, [](const auto& w) { return w->has_news(); })))
        post_pass();
    set_timer();
}

worker_set::identity process_workers_set::identify(worker_id id) const
{
    const auto worker = find(id);
    return worker ? identity{worker->node(), worker->pid()} : identity{};
}

void process_workers_set::add_stats(pool_stats& stats) const
{
    stats.died += died_;
    stats.restarts += restarts_;
    stats.abandoned += abandoned_;
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

std::size_t process_workers_set::recall(worker_id id, chunk_id chunk)
{
    const auto worker = find(id);
    if (!worker)
        return 0;
    const std::size_t kept = worker->recall(chunk);
    if (settings_.debug)
        std::fprintf(stderr, "twat-mp: worker %zu (pid %d) returned chunk %llu except for %zu started tasks\n", worker->node(),
                     worker->pid(), static_cast<unsigned long long>(chunk), kept);
    return kept;
}

void process_workers_set::cancel(worker_id id, chunk_id chunk)
{
    if (const auto worker = find(id)) {
        if (settings_.debug)
            std::fprintf(stderr, "twat-mp: worker %zu (pid %d) is asked to drop chunk %llu\n", worker->node(), worker->pid(),
                         static_cast<unsigned long long>(chunk));
        worker->cancel(chunk);
        touch(*worker);
    }
}

std::optional<backend::running_task> process_workers_set::running(worker_id id, chunk_id chunk) const
{
    const auto worker = find(id);
    return worker ? worker->running(chunk) : std::nullopt;
}

std::optional<backend::chunk_times> process_workers_set::times(worker_id id, chunk_id chunk) const
{
    const auto worker = find(id);
    return worker ? worker->times(chunk) : std::nullopt;
}

void process_workers_set::replace(worker_id id)
{
    const auto worker = find(id);
    if (!worker)
        return;
    worker->kill();
    if (!starts_none() && places_[worker->node()].worker == worker) {
        ++restarts_;
        want_start(worker->node());
    }
    set_timer();
}

void process_workers_set::abandon(worker_id id, chunk_id chunk)
{
    if (const auto worker = find(id)) {
        worker->abandon(chunk);
        touch(*worker);
    }
}

void process_workers_set::prepare_successor(worker_id id)
{
    const auto worker = find(id);
    if (!worker || starts_none() || places_[worker->node()].worker != worker || turns_.wants(worker->node()))
        return;
    ++restarts_;
    want_start(worker->node());
    set_timer();
}

void process_workers_set::retire(worker_id id)
{
    prepare_successor(id);
    if (const auto worker = find(id))
        worker->leave();
    set_timer();
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
    if (--depth_ != 0)
        return;
    if (settings_.beside_loop)
        last_turn_ = clock::now();
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

// Hundreds of workers may have something to tell at once, each on a handler of its own: together they have one turn.
time_point process_workers_set::turn_until() noexcept
{
    if (!settings_.beside_loop)
        return time_point::max();
    const time_point now = clock::now();
    if (now - last_turn_ > between_turns)
        turn_until_ = now + turn;
    last_turn_ = now;
    return turn_until_;
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
    last_turn_ = {};
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
    say(worker, "started");
    report(worker, pool_event::worker_started);
}

void process_workers_set::worker_is_ready(worker_process& worker)
{
    report(worker, pool_event::worker_ready);
    turns_.over(worker.id());
    if (policy_.on_ready(worker.node(), clock::now())) {
        events_.mended();
        for (std::size_t node = 0; node < places_.size() && !ended_; ++node)
            if (node != worker.node()) {
                ++restarts_;
                want_start(node);
            }
    }
    begin_starts();
    events_.worker_ready(worker.id());
    for (const auto& other : std::vector(live_))
        if (other->node() == worker.node() && other->id() != worker.id() && other->state().phase() == worker_phase::ready)
            events_.successor_ready(other->id());
}

void process_workers_set::worker_is_gone(worker_process& worker, const worker_end& end)
{
    const auto keep = worker.shared_from_this();
    std::erase(live_, keep);
    by_id_.erase(worker.id());
    turns_.over(worker.id());
    children_.remove(worker.process().get());
    place& p = places_[worker.node()];
    const bool was_current = p.worker == keep;
    if (was_current)
        p.worker.reset();

    pool_event event{};
    event.what = pool_event::worker_lost;
    event.signal = end.status.signal;
    event.exit_code = end.status.code;
    if (end.given_up) {
        ++abandoned_;
        event.what = pool_event::worker_abandoned;
    } else if (end.how == worker_action::report_end)
        event.what = pool_event::worker_retired;
    else
        event.ec = make_error_code(end.how == worker_action::report_failed_start ? errc::worker_start_failed : errc::worker_died);
    if (end.how != worker_action::report_end) {
        ++died_;
        event.phase = end.phase;
        event.why = end.why;
    }
    say(worker, "ended", &end);
    report(worker, event);

    if (worker.state().was_ready())
        events_.worker_gone(worker.id(), end.loss);
    if (!ended_ && end.how != worker_action::report_end)
        plan_restart(worker.node(), was_current, end);
    begin_starts();
    end_stop();
}

// Unless it is the current worker of its node, its successor is on its way.
void process_workers_set::plan_restart(std::size_t node, bool is_current, const worker_end& end)
{
    place& p = places_[node];
    const time_point now = clock::now();
    if (end.in_task) { // that task's fault, however often it happens
        if (is_current && !policy_.broken()) {
            restarts_ += !turns_.wants(node);
            want_start(node);
        }
        return;
    }
    lost_worker lost;
    lost.node = node;
    lost.was_ready = end.how == worker_action::report_death;
    lost.others_ready = std::ranges::any_of(live_, [](const auto& w) { return w->state().phase() == worker_phase::ready; });
    lost.initializer_threw = end.initializer_failed;
    lost.no_room = end.launch_failed && !end.hopeless;
    lost.fails_again = end.hopeless;
    lost.for_good = end.hopeless && !end.launch_failed; // a file that is not there may be put there
    const bool was_broken = policy_.broken() && !policy_.trying();
    const auto when = policy_.on_loss(lost, now);
    if (when && is_current && !turns_.wants(node))
        set_timer(p.start_at = *when);
    else if (!when && !was_broken)
        give_up(end);
}

void process_workers_set::give_up(const worker_end& end)
{
    read_all(); // what the others have finished is finished
    turns_.clear();
    for (place& p : places_)
        p.start_at = time_point::max();
    // main() never entered the worker: that says more than how often.
    const bool never_entered = !policy_.ever_ready() && settings_.executable.empty() && end.phase == life_phase::start && !end.launch_failed;
    const std::string& why = policy_.why_broken();
    if (why.empty() || !policy_.mends() || never_entered)
        events_.broken(end.cause, !policy_.mends());
    else
        events_.broken([cause = end.cause, why] { return make_nested(errc::pool_broken, why, cause()); }, false);
    for (const auto& worker : std::vector(live_))
        worker->kill();
}

bool process_workers_set::try_again()
{
    const bool under_way = policy_.trying();
    if (ended_ || !policy_.try_again(clock::now()))
        return false;
    if (!under_way) {
        ++restarts_;
        want_start(0);
        set_timer();
    }
    return true;
}

// Reads what the workers have sent, which nobody may have looked at for long.
void process_workers_set::read_all()
{
    for (const auto& worker : std::vector(live_)) {
        touch(*worker);
        worker->catch_up();
    }
}

void process_workers_set::catch_up()
{
    if (!active_)
        return;
    ++depth_;
    read_all();
    end_batch();
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
    for (std::size_t node = 0; node < places_.size(); ++node)
        if (places_[node].start_at <= clock::now() && !starts_none()) {
            ++restarts_;
            want_start(node);
        }
    for (const auto& worker : live_)
        if (worker->state().phase() == worker_phase::killed)
            turns_.over(worker->id());
    if (turns_.waiting()) {
        turns_.look(now, [this](worker_id id) -> std::optional<duration> {
            const auto worker = find(id);
            return worker && worker->pid() != 0 ? run_time_of_sleeper(worker->pid()) : std::nullopt;
        });
        begin_starts();
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
        next = turns_.next_look();
        for (const place& p : places_)
            next = std::min(next, p.start_at);
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

// ---------------------------------------------------------------- words

void process_workers_set::report(const worker_process& worker, decltype(pool_event::what) what)
{
    pool_event event{};
    event.what = what;
    report(worker, event);
}

void process_workers_set::report(const worker_process& worker, pool_event event)
{
    if (!on_event_)
        return;
    event.index = worker.node();
    event.pid = worker.pid();
    on_event_(event);
}

void process_workers_set::say(const worker_process& worker, const char* what, const worker_end* end) const
{
    if (!settings_.debug)
        return;
    std::string more;
    if (end) {
        if (!end->status.known)
            more = ", its status is not known";
        else if (end->status.signal != 0)
            more = " by signal " + std::to_string(end->status.signal);
        else
            more = " with exit code " + std::to_string(end->status.code);
        if (end->given_up)
            more = ", or cannot be killed: it is given up";
        if (!end->loss.begun.empty())
            more += ", " + std::to_string(end->loss.begun.size()) + " tasks are lost with it";
    }
    std::fprintf(stderr, "twat-mp: worker %zu (pid %d) %s%s\n", worker.node(), worker.pid(), what, more.c_str());
}

std::unique_ptr<worker_set> make_process_workers(pool_strand strand, std::shared_ptr<strand_link> link, const pool_options& options,
                                                 std::size_t nodes, backend_events& events)
{
    return std::make_unique<process_workers_set>(std::move(strand), std::move(link), options, nodes, events);
}

} // namespace twat::mp::detail
