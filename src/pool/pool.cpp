// SPDX-License-Identifier: BSL-1.0
#include "pool/pool.hpp"

#include <boost/asio/query.hpp>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/operation/check_options.hpp>

#include "chaos/setting.hpp"
#include "pool/check_options.hpp"
#include "pool/check_state.hpp"
#include "start/worker_context.hpp"

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

engine_settings settings_for(const pool_options& options, std::size_t nodes)
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

} // namespace

pool::pool(std::shared_ptr<const backend_factory> factory, asio::any_io_executor executor, std::size_t nodes,
           post_watcher* watcher)
    : factory_(std::move(factory)), options_(factory_->options()), nodes_(nodes), watcher_(watcher),
      executor_(std::move(executor)), strand_(asio::make_strand(*executor_)),
      link_(std::make_shared<strand_link>(*strand_, watcher)), alarm_(*strand_), audience_(options_.on_trace)
{
    pool_counts first;
    first.get<&pool_stats::nodes>() = nodes_;
    counts_.publish(first);
}

void pool::init()
{
    workers_ = factory_->make({*strand_, link_, *this, nodes_});
    can_ = workers_->can();
    engine_settings settings = settings_for(options_, nodes_);
    settings.measure_usage = options_.measure_usage;
    settings.identify = [this](worker_id worker, usage& used) {
        const worker_set::identity who = workers_->identify(worker);
        used.worker = who.node;
        used.pid = who.pid;
    };
    settings.starts_at_once = workers_->starts_at_once();
    if (options_.chaos.any())
        settings.chaos = std::make_shared<const chaos_plan>(options_.chaos);
    settings.on_broken = [this](const pool_health::cause& why, bool for_good) { health_.broke(why, for_good); };
    settings.on_mended = [this] { health_.mended(); };
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
    idle_alarm_.clear();
    workers_->halt();
    workers_->shut_down();
    // Handlers are destroyed uncalled, as those of the context itself. They may hold pools and call into them.
    const waiters dropped = std::exchange(waiters_, {});
    engine_.reset();
    workers_.reset();
    alarm_.reset();
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
    others_.note_submission(op->traits());
    const bool call = op->traits().call;
    auto take = [op = std::move(op), latest = task_deadline(), nested = runs_task_here()](pool& p) mutable {
        if (auto error = missing_state(p.options_, op->traits().state)) {
            p.others_.note_refusal(op->traits());
            return op->complete(std::move(error));
        }
        if (!p.closed_ && !p.start_workers()) {
            if (!p.try_again()) {
                p.others_.note_refusal(op->traits());
                return op->complete(p.health_.error());
            }
            p.health_.let_wait(op);
        }
        p.engine_->add(std::move(op), latest, nested);
    };
    if (!call || !watcher_ || !watcher_->may_run_here())
        return enter(std::move(take));
    watcher_->run_here([&] {
        take(*this);
        settle();
    });
}

bool pool::runs_calls_only() const noexcept
{
    return !can_.encodes && !options_.on_event && !options_.on_trace && others_.none_outstanding();
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
        p.waiters_.expect_start();
        p.link_->post([self = p.shared_from_this(), handler = std::move(handler)]() mutable {
            self->waiters_.add_start(std::move(handler));
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

// ---------------------------------------------------------------- on the strand

bool pool::start_workers()
{
    if (started_ || closed_)
        return !health_.broken();
    started_ = true;
    if (factory_->why_impossible()) {
        const auto why = [factory = factory_] { return factory->why_impossible(); };
        health_.broke(why, true);
        engine_->give_up(why);
        return false;
    }
    if (options_.chaos.any())
        announce(options_.chaos);
    set_active(true); // the start itself is looked after; settle() lets go of it if nobody waits
    engine_->start();
    return true;
}

/// Whether a call to the broken pool may wait for a worker that is tried. One does; the others fail at once.
bool pool::try_again()
{
    const auto op = health_.waiting();
    const bool awaited = (op && engine_->knows(*op)) || waiters_.any_start();
    return health_.try_again(awaited, [this] { return engine_->try_again(); });
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
    const bool active = engine_->active() || waiters_.any();
    set_active(active);
    set_alarm(active ? std::min(engine_->next_wake(), waiters_.drained_by()) : time_point::max());
    if (!active) {
        engine_->look_away();
        set_idle_alarm(engine_->shrinks_at());
    }
    others_.note_ends(engine_->others_ended());
    if (watcher_)
        watcher_->set_armed(active && (alarm_->is_set() || workers_->is_armed()));
}

void pool::publish_stats()
{
    const pool_stats& found = engine_->stats();
    if (!can_.launches)
        nodes_ = found.nodes;
    pool_counts now(found);
    now.get<&pool_stats::abandoned>() = workers_->abandoned();
    counts_.publish(now);
}

void pool::settle_starts()
{
    if (!waiters_.any_to_complete())
        return;
    if (released_)
        waiters_.complete_starts(make_aborted);
    else if (health_.broken() && !health_.trying())
        waiters_.complete_starts(health_.why());
    else if (terminated_ || closed_)
        waiters_.complete_starts(
            [this] { return make_error(terminated_ ? errc::pool_terminated : errc::pool_closed); });
    else if (engine_->complete())
        waiters_.complete_starts(nullptr);
    else if (const auto why = engine_->why_incomplete())
        waiters_.complete_starts(why);
}

pool_stats pool::stats() const
{
    pool_stats now;
    counts_.copy_to(now);
    now.queue_wait = timings_->queue_wait.snapshot();
    now.run_time = timings_->run_time.snapshot();
    timings_->tenants.add_to(now);
    now.labels = timings_->labels.all();
    return now;
}

} // namespace twat::mp::detail
