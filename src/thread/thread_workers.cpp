// SPDX-License-Identifier: BSL-1.0
#include "thread/thread_workers.hpp"

#include <twat/mp/detail/exception/make_error.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "chaos/faults.hpp"
#include "os/niceness.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {
namespace {

// The pool whose worker the calling thread is, for the whole life of the thread; guests are such threads too.
thread_local const void* own_set = nullptr;

void call(const task& task)
{
    if (task)
        task.run();
}

} // namespace

/// What the threads need, which may live longer than the set: see `thread_workers_set::~thread_workers_set`.
struct thread_workers_set::shared_state
{
    shared_state(thread_workers_set& set, std::shared_ptr<strand_link> link, const pool_options& options,
                 const void* pool)
        : link(std::move(link)), initializer(options.initializer), finalizer(options.finalizer), state(options.state),
          cancel_grace(options.cancel_grace), nice(options.nice), chaos(options.chaos), pool(pool), set(&set)
    {}

    /// Any thread: calls `f(set)` on the strand, unless the set is gone by then.
    template <class F>
    static void post(const std::shared_ptr<shared_state>& self, F f)
    {
        self->link->post([self, f = std::move(f)]() mutable { self->with_set(f); });
    }

    /// The same, where the calling thread has nothing more urgent to do than to run it.
    template <class F>
    static void post_and_run(const std::shared_ptr<shared_state>& self, F f)
    {
        self->link->post_and_run([self, f = std::move(f)]() mutable { self->with_set(f); });
    }

    template <class F>
    void with_set(F& f)
    {
        std::lock_guard lock(mutex);
        if (set)
            f(*set);
    }

    const std::shared_ptr<strand_link> link;
    const task initializer, finalizer;
    const state_factory state;
    const duration cancel_grace;
    const int nice;
    const chaos_plan chaos;
    const void* const pool;

    // The set may be destroyed by a thread that is not on the strand, or from inside a call that it made on the strand.
    std::recursive_mutex mutex;
    thread_workers_set* set;
};

thread_workers_set::thread_workers_set(pool_strand strand, std::shared_ptr<strand_link> link,
                                       const pool_options& options, backend_events& events)
    : shared_(std::make_shared<shared_state>(*this, std::move(link), options, &events)), options_(options),
      events_(events), pid_(::getpid()), strand_(std::move(strand))
{}

const capabilities& thread_workers_set::can() const noexcept
{
    static constexpr capabilities can{.local = true};
    return can;
}

thread_workers_set::~thread_workers_set()
{
    if (::getpid() != pid_) {
        // A forked child has none of the threads, and perhaps a mutex that one of them held. Leave all as it is.
        new std::map<worker_id, node>(std::move(workers_));
        new std::vector<std::thread>(std::move(ended_));
        return;
    }
    {
        std::lock_guard lock(shared_->mutex);
        shared_->set = nullptr;
    }
    halt();
    if (inside()) {
        // Called by a task: its thread cannot wait for itself. What the threads still use they own.
        for (auto& [id, node] : workers_)
            if (node.thread.joinable())
                node.thread.detach();
        for (auto& thread : ended_)
            thread.detach();
    }
}

bool thread_workers_set::inside() const noexcept { return own_set == shared_.get(); }

/// A worker or a guest; null: it is gone.
thread_worker* thread_workers_set::on_strand(worker_id worker) const noexcept
{
    if (const auto found = workers_.find(worker); found != workers_.end())
        return found->second.worker.get();
    const auto guest = guests_.find(worker);
    return guest == guests_.end() ? nullptr : guest->second.get();
}

std::shared_ptr<thread_worker> thread_workers_set::guest(worker_id id) const
{
    std::lock_guard lock(mutex_);
    const auto found = guests_.find(id);
    return found == guests_.end() ? nullptr : found->second;
}

void thread_workers_set::submit(worker_id worker, const chunk& work)
{
    if (const auto to = on_strand(worker))
        to->submit(work);
}

std::optional<std::size_t> thread_workers_set::recall(worker_id worker, chunk_id id)
{
    const auto from = on_strand(worker);
    if (!from)
        return 0;
    const auto [kept, ended] = from->recall(id);
    // The thread may be busy with another chunk for long: it need not be asked.
    if (ended)
        shared_state::post(shared_, [worker, id](thread_workers_set& self) { self.tell_ended(worker, id); });
    return kept;
}

void thread_workers_set::tell_ended(worker_id worker, chunk_id id)
{
    const auto from = on_strand(worker);
    if (!from || silent_)
        return;
    from->forget(id);
    events_.chunk_ended(worker, id, duration::zero());
    events_.decide();
}

void thread_workers_set::cancel(worker_id worker, chunk_id id)
{
    if (const auto to = on_strand(worker))
        to->cancel(id);
}

std::optional<backend::running_task> thread_workers_set::running(worker_id worker, chunk_id id) const
{
    const auto of = on_strand(worker);
    return of ? of->running(id) : std::nullopt;
}

void thread_workers_set::take_reports(worker_id worker, const std::function<void(task_report&&)>& f)
{
    if (const auto of = on_strand(worker))
        of->take_reports(f);
}

std::optional<backend::chunk_times> thread_workers_set::times(worker_id worker, chunk_id id) const
{
    const auto of = on_strand(worker);
    return of ? of->times(id) : std::nullopt;
}

void thread_workers_set::abandon(worker_id worker, chunk_id id)
{
    if (const auto by = on_strand(worker))
        by->abandon(id);
}

void thread_workers_set::end(worker_id worker, end_mode how)
{
    if (how == end_mode::late)
        return shared_state::post(shared_, [worker](thread_workers_set& self) { self.judge_late(worker); });
    std::lock_guard lock(mutex_);
    const auto found = workers_.find(worker);
    if (found == workers_.end())
        return;
    found->second.ended = true;
    found->second.worker->finish();
}

/// Its initializer was not over in time. A thread cannot be ended there: it may be ready yet.
void thread_workers_set::judge_late(worker_id worker)
{
    {
        std::lock_guard lock(mutex_);
        const auto found = workers_.find(worker);
        if (found == workers_.end() || found->second.ready || found->second.ended || found->second.state->initialized)
            return; // one that is initialized has said so
    }
    worker_loss loss;
    loss.stuck = true;
    loss.cause = [] {
        return make_error(errc::worker_start_failed, "the initializer of a worker thread did not end in time");
    };
    tell_lost(worker, std::move(loss));
}

std::vector<dumped_worker> thread_workers_set::dump()
{
    std::vector<dumped_worker> busy;
    std::lock_guard lock(mutex_);
    for (const auto& [id, node] : workers_)
        if (auto dumped = node.worker->dump())
            busy.push_back(std::move(*dumped));
    return busy;
}

thread_worker::report_function thread_workers_set::reporter(worker_id worker) const
{
    return [shared = shared_, worker](chunk_report report) {
        const bool ended = report.ended;
        auto tell = [worker, report = std::move(report)](thread_workers_set& self) mutable {
            self.on_report(worker, report);
        };
        if (ended)
            shared_state::post_and_run(shared, std::move(tell));
        else
            shared_state::post(shared, std::move(tell));
    };
}

void thread_workers_set::launch(worker_id id, std::size_t index)
{
    std::unique_lock lock(mutex_);
    if (halted_ || stopping_)
        return;
    auto worker = std::make_shared<thread_worker>(index, shared_->pool, options_.cancel_grace, reporter(id));
    node& made = workers_[id];
    made.worker = worker;
    made.state = std::make_shared<life>();
    // their end is near, and costs memory until it is seen
    const auto before = std::make_shared<std::vector<std::thread>>(std::exchange(ended_, {}));
    try {
        made.thread = std::thread([shared = shared_, id, worker, state = made.state, before] {
            thread_main(shared, id, *worker, *state, std::move(*before));
        });
    }
    catch (const std::system_error&) {
        workers_.erase(id);
        ended_ = std::move(*before);
        lock.unlock();
        shared_state::post(shared_, [id, index, cause = std::current_exception()](thread_workers_set& self) {
            self.tell(pool_event::worker_lost, index, errc::worker_start_failed, life_phase::start);
            worker_loss loss;
            loss.no_room = true;
            loss.cause = [cause] {
                return make_nested(errc::worker_start_failed, "a worker thread could not be made", cause);
            };
            self.tell_lost(id, std::move(loss));
        });
        return;
    }
    lock.unlock();
    tell(pool_event::worker_started, index);
}

void thread_workers_set::finalize(const std::shared_ptr<shared_state>& shared, worker_id id)
{
    if (!shared->finalizer)
        return;
    if (exit_value value{.object = shared->finalizer.run_for_result()}; value.object)
        shared_state::post(shared, [id, value](thread_workers_set& self) { self.events_.worker_returned(id, value); });
}

void thread_workers_set::thread_main(const std::shared_ptr<shared_state>& shared, worker_id id, thread_worker& worker,
                                     life& state, std::vector<std::thread> ended)
{
    for (auto& thread : ended)
        thread.join();
    own_set = shared.get();
    add_niceness(shared->nice);
    ::pthread_setname_np(::pthread_self(), ("mp worker " + std::to_string(worker.index())).substr(0, 15).c_str());
    {
        auto scope = worker.enter(worker.index());
        scope.set_life(state.thread);
        bool usable = false;
        try {
            sleep_unless(shared->chaos.slow_start(id), [&] { return worker.quitting(); });
            call(shared->initializer);
            call(shared->state.maker());
            usable = true;
            state.initialized = true;
        }
        catch (...) {
            state.initialized = true;
            shared_state::post(shared, [id, cause = std::current_exception()](thread_workers_set& self) {
                self.on_refused(id, cause);
            });
        }
        if (usable) {
            shared_state::post(shared, [id](thread_workers_set& self) { self.on_ready(id); });
            worker.serve();
        }
        if (usable && !worker.quitting()) {
            try {
                finalize(shared, id);
            }
            catch (...) {
                // Nobody is left to be told; the worker ends all the same.
            }
        }
        worker.close();
        drop_state(); // not before: coroutines that are cancelled there may use it
    }
    state.thread.over();
    shared_state::post(shared, [id](thread_workers_set& self) { self.on_gone(id); });
}

void thread_workers_set::on_report(worker_id worker, chunk_report& report)
{
    const auto by = on_strand(worker);
    if (!by)
        return;
    const chunk_id id = report.held->id;
    if (silent_ || report.held->abandoned) {
        if (report.ended)
            by->forget(id);
        return;
    }
    std::size_t position = report.begin;
    for (std::size_t i = 0; i != report.used.size(); ++i)
        events_.task_used(worker, id, report.begin + i, report.used[i]);
    const auto finished_up_to = [&](std::size_t end) {
        if (position != end)
            events_.tasks_finished(worker, id, position, end - position, nullptr);
    };
    for (failed_task& failure : report.failures) {
        finished_up_to(failure.position);
        events_.task_failed(worker, id, failure.position, std::move(failure.error));
        position = failure.position + 1;
    }
    finished_up_to(report.end);
    report.held.reset();
    if (report.ended) {
        by->forget(id);
        events_.chunk_ended(worker, id, report.busy);
    }
    events_.decide();
}

void thread_workers_set::on_ready(worker_id worker)
{
    std::size_t index = 0;
    {
        std::lock_guard lock(mutex_);
        const auto found = workers_.find(worker);
        if (found == workers_.end() || found->second.ready || halted_)
            return;
        found->second.ready = true;
        index = found->second.worker->index();
    }
    tell(pool_event::worker_ready, index);
    if (silent_)
        return;
    events_.worker_ready(worker);
    events_.decide();
}

void thread_workers_set::on_refused(worker_id worker, std::exception_ptr cause)
{
    std::size_t index = 0;
    {
        std::lock_guard lock(mutex_);
        const auto found = workers_.find(worker);
        if (found == workers_.end())
            return;
        index = found->second.worker->index();
    }
    tell(pool_event::worker_lost, index, errc::initializer_failed, life_phase::initializer);
    worker_loss loss;
    loss.initializer_threw = true;
    loss.cause = [cause] {
        return make_nested(errc::initializer_failed, "the initializer of a worker thread failed", cause);
    };
    tell_lost(worker, std::move(loss));
}

void thread_workers_set::on_gone(worker_id worker)
{
    std::size_t index = 0;
    bool ready = false;
    {
        std::lock_guard lock(mutex_);
        const auto found = workers_.find(worker);
        if (found == workers_.end())
            return;
        index = found->second.worker->index();
        ready = found->second.ready;
        if (found->second.thread.joinable())
            ended_.push_back(std::move(found->second.thread));
        workers_.erase(found);
    }
    if (ready)
        tell(pool_event::worker_retired, index);
    tell_gone(worker); // of one that was lost it was told before
    if (stopping_ && workers_.empty())
        stop_is_over();
}

void thread_workers_set::tell_gone(worker_id worker)
{
    if (silent_)
        return;
    worker_loss loss;
    loss.explain = [](std::uint64_t) { return make_error(errc::pool_terminated); };
    loss.expected = true;
    events_.worker_gone(worker, loss);
    events_.decide();
}

// What can fail of a thread is its start.
void thread_workers_set::tell_lost(worker_id worker, worker_loss loss)
{
    if (silent_ || stopping_)
        return;
    loss.explain = [cause = loss.cause](std::uint64_t) { return cause(); };
    events_.worker_gone(worker, loss);
    events_.decide();
}

void thread_workers_set::tell(decltype(pool_event::what) what, std::size_t index, boost::system::error_code ec,
                              life_phase phase)
{
    if (!options_.on_event)
        return;
    pool_event event{};
    event.what = what;
    event.index = index;
    event.ec = ec;
    event.phase = phase;
    // Posted, for it may do anything, also destroy the pool.
    shared_->link->post([callback = options_.on_event, event] { callback(event); });
}

void thread_workers_set::stop(std::function<void()> done)
{
    stopping_ = true;
    stopped_ = std::move(done);
    bool none = false;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [id, node] : workers_)
            node.worker->finish();
        none = workers_.empty();
    }
    if (none)
        return shared_state::post(shared_, [](thread_workers_set& self) { self.stop_is_over(); });
    const time_point due = saturating_add(clock::now(), options_.stop_grace);
    if (!strand_ || due == time_point::max())
        return;
    stop_timer_.emplace(*strand_, due);
    stop_timer_->async_wait([shared = shared_](boost::system::error_code ec) {
        auto late = [](thread_workers_set& self) {
            if (!self.stop_timer_ || !self.stopped_)
                return;
            // A finalizer goes on. It cannot be killed; the destructor waits for it.
            bool all_over = true;
            for (const auto& [id, node] : self.workers_) {
                if (node.state->thread.is_over())
                    continue; // and has said so, which was not heard yet
                all_over = false;
                ++self.abandoned_;
                self.tell(pool_event::worker_abandoned, node.worker->index());
            }
            if (!all_over)
                self.stop_is_over();
        };
        if (!ec)
            shared->with_set(late);
    });
}

void thread_workers_set::stop_is_over()
{
    stop_timer_.reset();
    if (const auto done = std::exchange(stopped_, nullptr))
        done();
}

void thread_workers_set::kill() noexcept
{
    silent_ = true;
    quit_all();
}

void thread_workers_set::shut_down() noexcept
{
    kill();
    stop_timer_.reset();
    stopped_ = nullptr;
    strand_.reset();
}

void thread_workers_set::quit_all() noexcept
{
    std::vector<std::shared_ptr<thread_worker>> all;
    {
        std::lock_guard lock(mutex_);
        halted_ = true;
        for (const auto& [id, node] : workers_)
            all.push_back(node.worker);
        for (const auto& [id, guest] : guests_)
            all.push_back(guest);
    }
    // Without the mutex: stop callbacks run in here.
    for (const auto& worker : all)
        worker->quit();
}

void thread_workers_set::halt() noexcept
{
    if (::getpid() != pid_)
        return;
    quit_all();
    if (inside())
        return;
    const bool here = shared_->link->runs_here() || (strand_ && strand_->running_in_this_thread());
    std::lock_guard joining(halt_mutex_);
    std::vector<std::thread> over;
    std::vector<std::pair<std::thread, std::shared_ptr<life>>> others;
    {
        std::lock_guard lock(mutex_);
        over.swap(ended_);
        for (auto& [id, node] : workers_)
            if (node.thread.joinable())
                others.emplace_back(std::move(node.thread), node.state);
    }
    for (auto& thread : over)
        thread.join();
    for (auto& [thread, state] : others)
        if (!here || state->thread.wait_for_end_or_nested_call())
            thread.join();
        else
            thread.detach(); // what it still uses it owns
}

worker_set::identity thread_workers_set::identify(worker_id worker) const
{
    const auto known = on_strand(worker);
    return {.node = known ? known->index() : 0};
}

worker_id thread_workers_set::add_guest()
{
    std::lock_guard lock(mutex_);
    const worker_id id = ++last_guest_;
    guests_[id] = std::make_shared<thread_worker>(0, shared_->pool, options_.cancel_grace, reporter(id));
    if (halted_)
        guests_[id]->quit();
    return id;
}

void thread_workers_set::run_guest(worker_id guest, const std::function<bool()>& stop)
{
    const auto self = this->guest(guest);
    if (!self)
        return;
    const worker_context* outer = current_worker();
    const auto scope = self->enter(outer ? outer->index : 0);
    self->serve_until(stop);
    self->close();
    // The engine may have given it a chunk in the meantime, which goes elsewhere.
    shared_state::post(shared_, [guest](thread_workers_set& set) { set.tell_gone(guest); });
}

void thread_workers_set::wake_guest(worker_id guest) noexcept
{
    if (const auto self = this->guest(guest))
        self->wake();
}

void thread_workers_set::remove_guest(worker_id guest)
{
    std::lock_guard lock(mutex_);
    guests_.erase(guest);
}

std::unique_ptr<worker_set> make_thread_workers(pool_strand strand, std::shared_ptr<strand_link> link,
                                                const pool_options& options, backend_events& events)
{
    return std::make_unique<thread_workers_set>(std::move(strand), std::move(link), options, events);
}

} // namespace twat::mp::detail
