// SPDX-License-Identifier: BSL-1.0
#include "inline/inline_pool_core.hpp"

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/system_executor.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inline/inline_events.hpp"
#include "inline/inline_run.hpp"
#include "inline/inline_worker.hpp"
#include "pool/check_options.hpp"
#include "pool/check_state.hpp"
#include "pool/dump.hpp"

namespace twat::mp::detail {
namespace {

using clock = std::chrono::steady_clock;

/// The pool's state behind `inline_pool`: no thread, no context.
class inline_pool_core final : public pool_core
{
public:
    inline_pool_core(std::shared_ptr<const backend_factory> factory, bool encodes)
        : factory_(std::move(factory)), options_(factory_->options()), encodes_(encodes)
    {
        if (!options_.initializer && !options_.state)
            events_.set_ready(true); // nothing has to run before the first call
    }

    asio::any_io_executor get_executor() const noexcept override { return asio::system_executor(); }
    const std::shared_ptr<const backend_factory>& factory() const noexcept override { return factory_; }
    std::size_t nodes() const noexcept override { return 1; }
    void resize(std::size_t) override {} // there is the calling thread, and no other

    std::vector<exit_value> exit_values() const override { return exit_values_.get(); }

    pool_stats stats() const override
    {
        std::lock_guard lock(mutex_);
        pool_stats now;
        now.nodes = 1;
        now.ready = events_.ready() ? 1 : 0;
        now.busy = runs_.empty() ? 0 : 1;
        now.running = runs_.size();
        now.done = done_;
        now.failed = failed_;
        now.retried = retried_;
        now.run_time = events_.run_time();
        return now;
    }

    void submit(std::shared_ptr<operation> op) override
    {
        if (closed_)
            return op->complete(make_error(terminated_ ? errc::pool_terminated : errc::pool_closed));
        if (auto error = missing_state(options_, op->traits().state))
            return op->complete(std::move(error));
        try {
            initialize();
        }
        catch (...) {
            return op->complete(make_nested(errc::initializer_failed, {}, std::current_exception()));
        }
        const auto run =
            std::make_shared<inline_run>(op, encodes_, options_.max_message_size, terminated_, worker_, events_);
        {
            std::lock_guard lock(mutex_);
            runs_.emplace(op.get(), run);
        }
        go_on(op, run);
    }

    void cancel(std::shared_ptr<operation> op, asio::cancellation_type type) override
    {
        if (const auto run = find(op))
            run->cancel(type);
    }

    void feed(std::shared_ptr<operation> op) override
    {
        if (const auto run = find(op))
            go_on(op, run);
    }

    void abandon(std::shared_ptr<operation> op) override
    {
        std::shared_ptr<inline_run> run;
        {
            std::lock_guard lock(mutex_);
            const auto found = runs_.find(op.get());
            if (found == runs_.end())
                return;
            run = std::move(found->second);
            runs_.erase(found);
        }
        op->complete(make_aborted());
    }

    void prepare() override {}

    void start(start_handler handler) override
    {
        std::exception_ptr error;
        try {
            if (closed_)
                error = make_error(terminated_ ? errc::pool_terminated : errc::pool_closed);
            else
                initialize();
        }
        catch (...) {
            error = make_nested(errc::initializer_failed, {}, std::current_exception());
        }
        std::move(handler)(error);
    }

    void join(start_handler handler) override
    {
        end_worker();
        std::move(handler)(nullptr);
    }

    void drain(duration, drain_handler handler) override
    {
        end_worker();
        std::move(handler)(nullptr, drain_report{.in_time = true});
    }

    void dump(dump_handler handler) override
    {
        pool_dump found{.when = std::chrono::system_clock::now(), .at = clock::now(), .workers = events_.busy()};
        name_functions(found);
        take_stacks(found);
        std::move(handler)(nullptr, std::move(found));
    }

    void observe(std::weak_ptr<pool_observer> observer) override { events_.observe(std::move(observer)); }

    void close() override { closed_ = true; }

    void terminate() override
    {
        terminated_ = true;
        closed_ = true;
    }

    void release() noexcept override { terminate(); }
    bool runs_task_here() const noexcept override { return false; }
    bool may_await_tasks_here(const operation&) const noexcept override { return false; }
    void help(const std::shared_ptr<operation>&, const std::function<bool()>&) override {}
    void wake_helpers(const std::shared_ptr<operation>&) noexcept override {}

private:
    void initialize()
    {
        std::lock_guard lock(start_mutex_); // what the initializer left on its loop may call the pool
        if (std::exchange(started_, true)) {
            if (start_error_)
                std::rethrow_exception(start_error_);
            return;
        }
        if (options_.initializer || options_.state) {
            inline_scope here(worker_);
            try {
                if (options_.initializer)
                    options_.initializer.run();
                if (options_.state)
                    options_.state.maker().run();
                worker_.state = here.state();
            }
            catch (...) {
                start_error_ = std::current_exception();
                throw;
            }
        }
        events_.set_ready(true);
        std::lock_guard counting(mutex_);
        initialized_ = true;
    }

    void end_worker()
    {
        closed_ = true;
        events_.set_ready(false);
        {
            std::lock_guard lock(mutex_);
            if (!std::exchange(initialized_, false) || terminated_)
                return;
        }
        inline_scope here(worker_);
        if (options_.finalizer) {
            try {
                if (exit_value value{.object = options_.finalizer.run_for_result()}; value.object)
                    exit_values_.add(std::move(value));
            }
            catch (...) {
                // A worker that ends has nobody to tell.
            }
        }
        worker_.state.reset();
        drop_state();
    }

    std::shared_ptr<inline_run> find(const std::shared_ptr<operation>& op) const
    {
        std::lock_guard lock(mutex_);
        const auto found = runs_.find(op.get());
        return found == runs_.end() ? nullptr : found->second;
    }

    void go_on(const std::shared_ptr<operation>& op, const std::shared_ptr<inline_run>& run)
    {
        const std::size_t done = run->done(), failed = run->failed(), retried = run->retried();
        const bool over = run->run();
        std::lock_guard lock(mutex_);
        done_ += run->done() - run->failed() - (done - failed);
        failed_ += run->failed() - failed;
        retried_ += run->retried() - retried;
        if (over)
            runs_.erase(op.get());
    }

    const std::shared_ptr<const backend_factory> factory_;
    const pool_options& options_;
    const bool encodes_;
    inline_worker worker_;
    inline_events events_;
    detail::exit_values exit_values_;
    std::atomic<bool> closed_{false}, terminated_{false};
    std::recursive_mutex start_mutex_;
    bool started_ = false;
    std::exception_ptr start_error_;
    mutable std::mutex mutex_;
    bool initialized_ = false;
    std::size_t done_ = 0, failed_ = 0, retried_ = 0;
    std::unordered_map<const operation*, std::shared_ptr<inline_run>> runs_;
};

} // namespace

std::shared_ptr<pool_core> make_inline_pool_core(std::shared_ptr<const backend_factory> factory, bool encodes)
{
    return std::make_shared<inline_pool_core>(std::move(factory), encodes);
}

} // namespace twat::mp::detail
