// SPDX-License-Identifier: BSL-1.0
#include "pool/pool.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <future>
#include <random>
#include <stdexcept>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "chaos/setting.hpp"
#include "pool/check_options.hpp"
#include "pool/check_state.hpp"
#include "start/worker_context.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

asio::execution_context::id pool_service::id;

std::shared_ptr<pool_core> pool_core::create(std::shared_ptr<const backend_factory> factory,
                                             asio::any_io_executor executor, post_watcher* watcher)
{
    if (factory->is_inline()) {
        const backend_factory& made_by = *factory;
        return made_by.make_core(std::move(factory), executor);
    }
    const std::size_t nodes = count_nodes(*factory);
    auto made = std::make_shared<pool>(std::move(factory), std::move(executor), nodes, watcher);
    made->init();
    return made;
}

namespace {

engine::settings engine_settings(const pool_options& options, std::size_t nodes)
{
    return {.nodes = nodes,
            .min_nodes = options.min_nodes,
            .idle_timeout = options.idle_timeout,
            .start_timeout = options.start_timeout,
            .restarts = options.restarts,
            .child_concurrency = options.child_concurrency,
            .max_tasks_per_child = options.max_tasks_per_child,
            .max_age_per_child = options.max_age_per_child,
            .recycle_jitter = options.recycle_jitter,
            .seed = std::random_device()(),
            .max_pending = options.max_pending,
            .max_pending_bytes = options.max_pending_bytes,
            .on_overflow = options.on_overflow,
            .shed = options.shed,
            .max_message_size = options.max_message_size,
            .cancel_grace = options.cancel_grace};
}

/// Whether an error says by itself that the pool cannot serve.
bool says_broken(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return e.code() == errc::pool_broken || e.code() == errc::no_agents || e.code() == errc::broker_failed;
    }
    catch (...) {
        return false;
    }
}

std::exception_ptr aborted()
{
    return std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
}

} // namespace

pool::pool(std::shared_ptr<const backend_factory> factory, asio::any_io_executor executor, std::size_t nodes,
           post_watcher* watcher)
    : factory_(std::move(factory)), options_(factory_->options()), nodes_(nodes), watcher_(watcher),
      executor_(std::move(executor)), strand_(asio::make_strand(*executor_)),
      link_(std::make_shared<strand_link>(*strand_, watcher)), timer_(*strand_)
{
    stats_.nodes = nodes_;
}

void pool::init()
{
    workers_ = factory_->make({*strand_, link_, *this, nodes_});
    can_ = workers_->can();
    engine::settings settings = engine_settings(options_, nodes_);
    settings.measure_usage = options_.measure_usage;
    settings.identify = [this](worker_id worker, usage& used) {
        const worker_set::identity who = workers_->identify(worker);
        used.worker = who.node;
        used.pid = who.pid;
    };
    settings.starts_at_once = workers_->starts_at_once();
    if (options_.chaos.any())
        settings.chaos = std::make_shared<const chaos_plan>(options_.chaos);
    settings.on_broken = [this](const std::function<std::exception_ptr()>& cause, bool for_good) {
        on_broken(cause, for_good);
    };
    settings.on_mended = [this] { on_mended(); };
    settings.publish = [this] { publish_stats(); };
    engine_ = std::make_unique<engine>(std::move(settings), *workers_, [] { return clock::now(); });
    set_observers();
    timings_ = engine_->measured();
    asio::use_service<pool_service>(asio::query(*executor_, asio::execution::context)).add(*this);
}

pool::~pool()
{
    if (gone_)
        return;
    link_->cut();
    asio::use_service<pool_service>(asio::query(*executor_, asio::execution::context)).remove(*this);
}

void pool::context_gone() noexcept
{
    const auto self = weak_from_this().lock(); // what is dropped below may be the last to hold the pool
    gone_ = true;
    link_->cut();
    idle_timer_.clear();
    workers_->halt();
    workers_->shut_down();
    // Handlers are destroyed uncalled, as those of the context itself. They may hold pools and call into them.
    const auto starts = std::exchange(start_waiters_, {});
    const auto joins = std::exchange(join_waiters_, {});
    const auto drains = std::exchange(drain_waiters_, {});
    const auto dumps = std::exchange(dump_waiters_, {});
    engine_.reset();
    workers_.reset();
    timer_.reset();
    work_.reset();
    strand_.reset();
    executor_.reset();
}

// ---------------------------------------------------------------- onto the strand

void pool::check_process() const
{
    if (fork_guard_.forked())
        throw std::logic_error(
            "this pool was made before fork(); in the child it has no workers: make a pool of its own there");
    if (gone_)
        throw std::logic_error("the execution context of this pool has been destroyed");
}

void pool::submit(std::shared_ptr<operation> op)
{
    check_process();
    factory_->check_use();
    others_submitted_ += !op->traits().call;
    enter([op = std::move(op), latest = task_deadline(), nested = runs_task_here()](pool& p) mutable {
        if (auto error = missing_state(p.options_, op->traits().state)) {
            p.others_refused_ += !op->traits().call;
            return op->complete(std::move(error));
        }
        if (!p.closed_ && !p.start_workers()) {
            if (!p.try_again()) {
                p.others_refused_ += !op->traits().call;
                return op->complete(p.broken_());
            }
            p.waits_for_trial_ = op;
        }
        p.engine_->add(std::move(op), latest, nested);
    });
}

bool pool::runs_calls_only() const noexcept
{
    return !can_.encodes && !options_.on_event && !options_.on_trace && others_ended_ == others_submitted_;
}

void pool::cancel(std::shared_ptr<operation> op, asio::cancellation_type type)
{
    // Often from a cancellation signal in the middle of the user's code: never at once.
    if (!gone_)
        link_->post([self = shared_from_this(), op = std::move(op), type] {
            if (self->gone_)
                return;
            self->engine_->cancel(*op, type);
            self->settle();
        });
}

void pool::feed(std::shared_ptr<operation> op)
{
    if (!gone_)
        enter([op = std::move(op)](pool& p) { p.engine_->feed(*op); });
}

void pool::abandon(std::shared_ptr<operation> op)
{
    if (gone_ || fork_guard_.forked())
        return;
    link_->post([self = shared_from_this(), op = std::move(op)] {
        if (self->gone_)
            return;
        self->engine_->abandon(*op);
        self->settle();
    });
}

void pool::prepare()
{
    if (!factory_->may_prepare())
        return;
    // Waits for them, though nobody else does, so that `stats` and `on_event` tell of them: the context has a thread of its own.
    start([](std::exception_ptr) {});
}

void pool::start(start_handler handler)
{
    check_process();
    factory_->check_use();
    enter([handler = std::move(handler)](pool& p) mutable {
        if (!p.closed_ && !p.start_workers())
            p.try_again();
        // What happened to the workers while the pool was idle is told first.
        p.set_active(true);
        ++p.starting_;
        asio::post(*p.strand_, [self = p.shared_from_this(), handler = std::move(handler)]() mutable {
            --self->starting_;
            self->start_waiters_.push_back(std::move(handler));
            self->settle();
        });
    });
}

void pool::set_tenant(tenant_id id, const tenant_options& options)
{
    check_options(options);
    check_process();
    enter([id, options](pool& p) { p.engine_->set_tenant(id, options); });
}

void pool::resize(std::size_t nodes)
{
    check_process();
    nodes = factory_->count_nodes(nodes, "resize");
    if (!can_.launches)
        return; // there are as many as come
    nodes_ = nodes;
    enter([nodes](pool& p) {
        p.nodes_ = nodes;
        p.workers_->resize(nodes);
        p.engine_->resize(nodes);
    });
}

void pool::close()
{
    check_process();
    enter([](pool& p) {
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
    });
}

void pool::join(start_handler handler)
{
    check_process();
    enter([handler = std::move(handler)](pool& p) mutable {
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
        p.engine_->unbind_streams();
        p.join_waiters_.push_back(std::move(handler));
    });
}

void pool::drain(duration limit, drain_handler handler)
{
    check_process();
    enter([handler = std::move(handler), limit = std::max(limit, duration::zero()),
           called = clock::now()](pool& p) mutable {
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
        p.engine_->unbind_streams();
        const pool_stats stats = p.engine_->stats();
        p.drain_waiters_.push_back({std::move(handler), called, p.engine_->ended(), stats.done + stats.failed});
        p.drained_by_ = std::min(p.drained_by_, saturating_add(called, limit));
    });
}

void pool::terminate()
{
    check_process();
    enter([](pool& p) { p.end_operations(); });
}

void pool::end_operations()
{
    if (std::exchange(terminated_, true))
        return;
    closed_ = true;
    const auto error = [] { return make_error(errc::pool_terminated); };
    engine_->close(error);
    engine_->stop_all(error);
    if (can_.can_kill)
        kill_workers();
}

void pool::kill_workers()
{
    engine_->start_none();
    workers_->kill();
    engine_->forget_workers();
    stopping_ = stopped_ = true;
}

void pool::release() noexcept
{
    if (fork_guard_.forked()) {
        // The copy of a pool in a forked process has no threads and other people's children: nothing of it may run, not even
        // destructors.
        new std::shared_ptr<pool>(shared_from_this());
        return;
    }
    if (released_.exchange(true) || gone_)
        return;
    workers_->halt();
    const auto let_go = [](pool& p) {
        if (p.gone_)
            return;
        p.closed_ = true;
        p.engine_->close([] { return make_error(errc::pool_closed); });
        p.engine_->stop_all(aborted);
        p.kill_workers();
    };
    try {
        enter(let_go);
    }
    catch (...) {
        // No memory to say goodbye with: the context's end cleans up.
    }
}

// ---------------------------------------------------------------- what the workers report

void pool::worker_started(worker_id worker)
{
    if (!released_)
        engine_->worker_started(worker);
}

void pool::worker_ready(worker_id worker)
{
    if (!released_)
        engine_->worker_ready(worker);
}

void pool::worker_grew(worker_id worker)
{
    if (!released_)
        engine_->worker_grew(worker);
}

void pool::worker_gone(worker_id worker, const worker_loss& loss)
{
    if (!released_)
        engine_->worker_gone(worker, loss);
}

void pool::task_used(worker_id worker, chunk_id id, std::size_t position, const task_usage& measured)
{
    if (!released_)
        engine_->task_used(worker, id, position, measured);
}

void pool::task_finished(worker_id worker, chunk_id id, std::size_t position, decoder* value)
{
    if (!released_)
        engine_->task_finished(worker, id, position, value);
}

void pool::task_decoded(worker_id worker, chunk_id id, std::size_t position, decoded_result& value, std::size_t size)
{
    if (!released_)
        engine_->task_decoded(worker, id, position, value, size);
}

void pool::tasks_finished(worker_id worker, chunk_id id, std::size_t position, std::size_t count,
                          const encoded_values* values)
{
    if (!released_)
        engine_->tasks_finished(worker, id, position, count, values);
}

void pool::task_failed(worker_id worker, chunk_id id, std::size_t position, std::exception_ptr error)
{
    if (!released_)
        engine_->task_failed(worker, id, position, std::move(error));
}

void pool::recalled(worker_id worker, chunk_id id, std::size_t kept)
{
    if (!released_)
        engine_->recalled(worker, id, kept);
}

void pool::unusable(const std::function<std::exception_ptr()>& cause, time_point before)
{
    if (released_)
        return;
    engine_->unusable(cause, before);
    complete(start_waiters_, cause);
}

void pool::chunk_ended(worker_id worker, chunk_id id, duration busy)
{
    if (!released_)
        engine_->chunk_ended(worker, id, busy);
}

void pool::chunk_lost(worker_id worker, chunk_id id, const worker_loss& loss)
{
    if (!released_)
        engine_->chunk_lost(worker, id, loss);
}

void pool::nodes_changed(std::size_t nodes)
{
    if (released_)
        return;
    nodes_ = nodes;
    workers_->resize(nodes);
    engine_->resize(nodes);
}

void pool::decide()
{
    if (!released_)
        settle();
}

// ---------------------------------------------------------------- on the strand

bool pool::start_workers()
{
    if (started_ || closed_)
        return !broken_;
    started_ = true;
    if (factory_->why_impossible()) {
        broken_ = [factory = factory_] { return factory->why_impossible(); };
        why_broken_ = broken_;
        for_good_ = true;
        engine_->give_up(broken_);
        return false;
    }
    if (options_.chaos.any())
        announce(options_.chaos);
    set_active(true); // the start itself is looked after; settle() lets go of it if nobody waits
    engine_->start();
    return true;
}

void pool::on_broken(const std::function<std::exception_ptr()>& cause, bool for_good)
{
    trying_ = false;
    for_good_ = for_good;
    why_broken_ = cause;
    broken_ = for_good ? cause : [cause] {
        std::exception_ptr why = cause();
        if (says_broken(why))
            return why;
        return make_nested(errc::pool_broken,
                           "no worker of the pool could be started; one will be tried again after a pause", why);
    };
}

void pool::on_mended()
{
    trying_ = false;
    broken_ = why_broken_ = nullptr;
}

/// Whether a call to the broken pool may wait for a worker that is tried. One does; the others fail at once.
bool pool::try_again()
{
    if (for_good_)
        return false;
    const auto op = waits_for_trial_.lock();
    const bool awaited = (op && engine_->knows(*op)) || starting_ != 0 || !start_waiters_.empty();
    if (trying_ && awaited)
        return false;
    trying_ = true;
    if (engine_->try_again())
        return true;
    trying_ = false;
    return false;
}

void pool::settle()
{
    if (gone_)
        return;
    engine_->decide();
    settle_guests();
    publish_stats(); // before anybody is told that the workers are ready, who may look at once
    settle_starts();
    settle_joins();
    settle_drains();
    settle_dumps();
    const bool active = engine_->active() || starting_ != 0 || !start_waiters_.empty() || !join_waiters_.empty() ||
                        !drain_waiters_.empty() || !dump_waiters_.empty();
    set_active(active);
    set_timer(active ? std::min(engine_->next_wake(), drained_by_) : time_point::max());
    if (!active) {
        engine_->look_away();
        set_idle_timer(engine_->shrinks_at());
    }
    others_ended_ = engine_->others_ended() + others_refused_;
    if (watcher_)
        watcher_->set_armed(active && (timer_at_ != time_point::max() || workers_->is_armed()));
}

void pool::publish_stats()
{
    pool_stats now = engine_->stats();
    workers_->add_stats(now);
    if (!can_.launches)
        nodes_ = now.nodes;
    std::lock_guard lock(stats_mutex_);
    stats_ = std::move(now);
}

void pool::set_active(bool active)
{
    if (active == work_.has_value())
        return;
    if (active)
        work_.emplace(asio::prefer(*executor_, asio::execution::outstanding_work.tracked));
    workers_->set_active(active);
    if (!active)
        work_.reset();
}

void pool::set_timer(time_point wake)
{
    if (wake == time_point::max()) {
        if (timer_at_ != time_point::max()) {
            timer_at_ = time_point::max();
            timer_->cancel();
        }
        return;
    }
    if (timer_at_ <= wake)
        return; // rings too early at worst, and is set again then
    timer_at_ = wake;
    timer_->expires_at(wake);
    timer_->async_wait(asio::bind_executor(*strand_, [self = shared_from_this(), wake](boost::system::error_code ec) {
        if (ec || self->gone_ || self->timer_at_ != wake)
            return;
        self->timer_at_ = time_point::max();
        self->look();
    }));
}

/// Some time has passed.
void pool::look()
{
    if (engine_->judges())
        workers_->catch_up(); // this loop may have been away while they answered
    engine_->tick();
    settle();
}

/// As `set_timer`, but it is no work on the context.
void pool::set_idle_timer(time_point wake)
{
    if (wake == time_point::max()) {
        if (std::exchange(idle_timer_at_, wake) != wake)
            idle_timer_.clear();
        return;
    }
    if (idle_timer_at_ <= wake)
        return;
    const auto ring = [weak = weak_from_this(), link = link_] {
        link->post([weak] {
            const auto self = weak.lock();
            if (!self || self->gone_)
                return;
            self->idle_timer_at_ = time_point::max();
            self->look();
        });
    };
    try {
        idle_timer_.set(wake, ring);
        idle_timer_at_ = wake;
    }
    catch (...) {
        idle_timer_at_ = time_point::max(); // no memory, or no thread: it is tried again when something happens
    }
}

void pool::complete(std::vector<start_handler>& waiting, const std::function<std::exception_ptr()>& error)
{
    for (auto& handler : std::exchange(waiting, {}))
        std::move(handler)(error ? error() : nullptr); // which only posts
}

void pool::settle_starts()
{
    if (start_waiters_.empty())
        return;
    if (released_)
        complete(start_waiters_, aborted);
    else if (broken_ && !trying_)
        complete(start_waiters_, why_broken_);
    else if (terminated_ || closed_)
        complete(start_waiters_,
                 [this] { return make_error(terminated_ ? errc::pool_terminated : errc::pool_closed); });
    else if (engine_->complete())
        complete(start_waiters_, nullptr);
    else if (const auto why = engine_->why_incomplete())
        complete(start_waiters_, why);
}

void pool::settle_joins()
{
    if (join_waiters_.empty() && drain_waiters_.empty() && !(terminated_ && !stopping_))
        return;
    if (!stopping_ && engine_->idle_but_for_streams()) {
        engine_->end_streams([] { return make_error(errc::pool_closed); });
        engine_->decide();
        stopping_ = true;
        engine_->start_none();
        if (started_ && !broken_) {
            workers_->stop([weak = weak_from_this()] {
                if (const auto self = weak.lock(); self && !self->gone_) {
                    self->stopped_ = true;
                    self->engine_->forget_workers();
                    self->settle();
                }
            });
        } else {
            workers_->kill();
            stopped_ = true;
        }
    }
    if (stopped_)
        complete(join_waiters_, released_ ? aborted : nullptr);
}

/// What has not ended when the time of a `drain` is up is ended, also if nobody waits for the `drain` any more.
void pool::settle_drains()
{
    if (!stopping_ && drained_by_ <= clock::now()) {
        drained_by_ = time_point::max();
        end_operations();
        engine_->decide();
        settle_joins();
        publish_stats();
    }
    if (stopping_)
        drained_by_ = time_point::max(); // from now on `stop_grace` bounds it
    if (!stopped_ || drain_waiters_.empty())
        return;
    const engine::endings ended = engine_->ended();
    const pool_stats stats = engine_->stats();
    for (drain_waiter& waiter : std::exchange(drain_waiters_, {})) {
        drain_report report;
        report.finished = ended.finished - waiter.ended.finished;
        report.terminated = ended.terminated - waiter.ended.terminated;
        report.in_time = report.terminated == 0;
        report.tasks = stats.done + stats.failed - waiter.tasks;
        report.took = clock::now() - waiter.called;
        std::move(waiter.handler)(released_ ? aborted() : nullptr, report); // which only posts
    }
}

pool_stats pool::stats() const
{
    pool_stats now;
    {
        std::lock_guard lock(stats_mutex_);
        now = stats_;
    }
    now.queue_wait = timings_->queue_wait.snapshot();
    now.run_time = timings_->run_time.snapshot();
    timings_->tenants.add_to(now);
    now.labels = timings_->labels.all();
    return now;
}

// ---------------------------------------------------------------- nested parallelism on threads

bool pool::runs_task_here() const noexcept
{
    const worker_context* context = current_worker();
    return context && context->pool == static_cast<const void*>(static_cast<const backend_events*>(this));
}

bool pool::may_await_tasks_here(const operation& op) const noexcept
{
    const void* const here = static_cast<const backend_events*>(this);
    for (const worker_context* context = current_worker(); context; context = context->outer)
        if (context->pool == here && (!context->running || context->running == &op))
            return false;
    return true;
}

void pool::help(const std::shared_ptr<operation>& op, const std::function<bool()>& stop)
{
    check_process();
    std::promise<worker_id> made;
    const std::size_t node = current_worker()->index;
    enter([op, &made, node](pool& p) {
        const worker_id id = p.workers_->add_guest();
        if (p.options_.on_trace || !p.observers_.empty())
            p.traced_[id].node = node; // what it runs, runs inside what its thread runs
        {
            std::lock_guard lock(p.guests_mutex_);
            p.guests_.emplace(op.get(), id);
        }
        p.engine_->add_guest(id, *op);
        made.set_value(id);
    });
    const worker_id id = made.get_future().get();
    workers_->run_guest(id, stop);
    {
        std::lock_guard lock(guests_mutex_);
        const auto [begin, end] = guests_.equal_range(op.get());
        for (auto it = begin; it != end; ++it)
            if (it->second == id) {
                guests_.erase(it);
                break;
            }
    }
    enter([id](pool& p) { p.leaving_guests_.push_back(id); });
}

void pool::wake_helpers(const std::shared_ptr<operation>& op) noexcept
{
    std::lock_guard lock(guests_mutex_);
    const auto [begin, end] = guests_.equal_range(op.get());
    for (auto it = begin; it != end; ++it)
        workers_->wake_guest(it->second);
}

void pool::settle_guests()
{
    std::erase_if(leaving_guests_, [this](worker_id id) {
        if (!engine_->remove_guest(id))
            return false;
        workers_->remove_guest(id);
        traced_.erase(id);
        return true;
    });
}

} // namespace twat::mp::detail
