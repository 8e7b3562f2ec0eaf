// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/operation/blocking_core.hpp>

#include <twat/mp/error.hpp>

#include <twat/mp/detail/exception/make_error.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_executor.hpp>

#include <pthread.h>

#include <stdexcept>
#include <thread>

#include "blocking/context_driver.hpp"
#include "pool/fork_guard.hpp"
#include "start/thread_life.hpp"
#include "start/worker_context.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

void blocking_wait::finish(std::exception_ptr error) noexcept
{
    std::shared_ptr<pool_core> helped;
    std::shared_ptr<operation> op;
    {
        std::lock_guard lock(mutex_);
        finished_ = true;
        error_ = std::move(error);
        helped = helped_.lock();
        op = op_.lock();
        changed_.notify_all();
    }
    if (helped && op)
        helped->wake_helpers(op);
}

void blocking_wait::reset() noexcept
{
    std::lock_guard lock(mutex_);
    finished_ = false;
    helped_.reset();
    op_.reset();
}

std::exception_ptr blocking_wait::take_error() noexcept
{
    std::lock_guard lock(mutex_);
    return std::exchange(error_, nullptr);
}

void blocking_wait::let_help(const std::shared_ptr<pool_core>& pool, const std::shared_ptr<operation>& op) noexcept
{
    std::lock_guard lock(mutex_);
    helped_ = pool;
    op_ = op;
}

namespace {

constexpr auto for_ever = std::chrono::steady_clock::time_point::max();

} // namespace

void blocking_wait::wait_until(std::chrono::steady_clock::time_point limit)
{
    using clock = std::chrono::steady_clock;
    std::unique_lock lock(mutex_);
    const auto pool = helped_.lock();
    const auto op = op_.lock();
    if (!finished() && pool && op) {
        lock.unlock();
        if (limit == for_ever) {
            pool->help(op, [this] { return finished(); });
        } else {
            // Nothing of the pool may be running that could wake the helper.
            asio::steady_timer alarm(asio::system_executor(), limit);
            alarm.async_wait(
                [weak_pool = std::weak_ptr(pool), weak_op = std::weak_ptr(op)](const boost::system::error_code&) {
                    const auto helped = weak_pool.lock();
                    const auto of = weak_op.lock();
                    if (helped && of)
                        helped->wake_helpers(of);
                });
            pool->help(op, [&] { return finished() || clock::now() >= limit; });
        }
        lock.lock();
    }
    if (limit == for_ever)
        changed_.wait(lock, [this] { return finished(); });
    else
        changed_.wait_until(lock, limit, [this] { return finished(); });
}

void blocking_wait::wait_or_promoted(std::chrono::steady_clock::time_point limit)
{
    std::unique_lock lock(mutex_);
    if (limit == for_ever)
        changed_.wait(lock, [this] { return finished() || promoted_; });
    else
        changed_.wait_until(lock, limit, [this] { return finished() || promoted_; });
}

void blocking_wait::promote(bool now) noexcept
{
    std::lock_guard lock(mutex_);
    promoted_ = now;
    changed_.notify_all();
}

blocking_core::~blocking_core() = default;

namespace {

class served_core final : public blocking_core, public std::enable_shared_from_this<served_core>
{
public:
    explicit served_core(std::shared_ptr<const backend_factory> factory)
        : driver_(factory->options().spin),
          pool_(pool_core::create(std::move(factory), driver_.context().get_executor(), &driver_))
    {}

    ~served_core() override
    {
        if (!thread_made_)
            pool_->release();
    }

    void run()
    {
        driver_.let_posting_threads_run(weak_from_this(), [&pool = *pool_] { return pool.runs_calls_only(); });
        pool_->prepare();
        // Keeps this alive: `end` may be called where it cannot wait for the thread.
        thread_ = std::thread([self = shared_from_this()] {
            ::pthread_setname_np(::pthread_self(), "mp service");
            self->driver_.serve();
        });
        thread_made_ = true;
    }

    const std::shared_ptr<pool_core>& pool() const noexcept override { return pool_; }

    void check_usable() const override
    {
        if (fork_guard_.forked())
            throw std::logic_error(
                "this pool was made before fork(); in the child it has no workers: make a pool of its own there");
    }

    void check_may_wait() const override
    {
        check_usable();
        if (driver_.runs_here())
            throw error(errc::would_deadlock, "a blocking call in a callback or a range of the pool");
    }

    void submit(const std::shared_ptr<operation>& op) override
    {
        check_usable();
        posting_turn turn;
        const bool call = op->traits().call;
        if (call)
            turn.take(driver_); // before anything is posted, for which the kept thread would be woken
        std::unique_lock lock(mutex_);
        if (ended_) {
            lock.unlock();
            return op->complete(make_error(errc::pool_closed));
        }
        // Under the mutex: what is handed over before the end is run before the kept thread ends. It does not end as long as this thread
        // has the turn, and the mutex is not held while arguments are moved, which is the user's code.
        if (call && driver_.may_run_here())
            lock.unlock();
        pool_->submit(op);
    }

    void wait(blocking_wait& until, const std::function<void()>& begin, duration limit) override
    {
        const auto end = limit == duration::max() ? for_ever : saturating_add(std::chrono::steady_clock::now(), limit);
        const auto self = shared_from_this(); // a callback or another task may destroy the pool
        if (pool_->runs_task_here()) {        // a task is to run tasks meanwhile, nothing else
            const thread_life::nested_call nested(current_worker()->life);
            begin();
            return until.wait_until(end);
        }
        driver_.wait(until, begin, end);
    }

    void start() override
    {
        check_may_wait();
        wait_for<void>([](pool_core& pool, pool_core::start_handler handler) { pool.start(std::move(handler)); });
    }

    void join() override
    {
        check_may_end();
        wait_for<void>([](pool_core& pool, pool_core::start_handler handler) { pool.join(std::move(handler)); });
    }

    drain_report drain(duration limit) override
    {
        check_may_end();
        return wait_for<drain_report>(
            [limit](pool_core& pool, pool_core::drain_handler handler) { pool.drain(limit, std::move(handler)); });
    }

    pool_dump dump() override
    {
        check_may_wait();
        return wait_for<pool_dump>(
            [](pool_core& pool, pool_core::dump_handler handler) { pool.dump(std::move(handler)); });
    }

    void end(bool terminate) noexcept override
    {
        if (fork_guard_.forked()) {
            // The copy in a forked process has neither thread nor workers, and perhaps a mutex that a thread held.
            pool_->release();
            new std::shared_ptr<served_core>(shared_from_this());
            return;
        }
        const bool may_wait = !driver_.runs_here() && !pool_->runs_task_here();
        if (may_wait) {
            try {
                if (terminate)
                    pool_->terminate();
                join();
            }
            catch (...) {
                // Nobody is there to be told.
            }
        }
        pool_->release();
        {
            std::lock_guard lock(mutex_);
            ended_ = true;
        }
        driver_.end();
        if (may_wait)
            thread_.join();
        else
            thread_.detach();
    }

private:
    void check_may_end() const
    {
        check_may_wait();
        if (pool_->runs_task_here())
            throw error(errc::would_deadlock, "a task waits for the end of the pool that runs it");
    }

    template <class T, class Begin>
    T wait_for(Begin begin)
    {
        const auto waiting = std::make_shared<blocking_call<T>>();
        wait(
            *waiting,
            [&] {
                std::lock_guard lock(mutex_);
                if (ended_)
                    throw error(errc::pool_closed);
                begin(*pool_, blocking_completion<T>(waiting));
            },
            duration::max());
        if (const auto error = waiting->take_error())
            std::rethrow_exception(error);
        if constexpr (!std::is_void_v<T>)
            return std::move(*waiting->value);
    }

    const fork_guard fork_guard_;
    context_driver driver_;
    const std::shared_ptr<pool_core> pool_;
    std::thread thread_;
    bool thread_made_ = false;
    std::mutex mutex_;
    bool ended_ = false;
};

} // namespace

std::shared_ptr<blocking_core> blocking_core::create(std::shared_ptr<const backend_factory> factory)
{
    if (factory->is_inline())
        return create_inline(std::move(factory), false);
    const auto made = std::make_shared<served_core>(std::move(factory));
    made->run();
    return made;
}

} // namespace twat::mp::detail
