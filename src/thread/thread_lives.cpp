// SPDX-License-Identifier: BSL-1.0
// How worker threads begin and end, and what is told of it.
#include <twat/mp/detail/exception/make_error.hpp>

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "chaos/faults.hpp"
#include "os/niceness.hpp"
#include "thread/thread_workers_state.hpp"

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

bool thread_workers_set::inside() const noexcept { return own_set == shared_.get(); }

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

} // namespace twat::mp::detail
