// SPDX-License-Identifier: BSL-1.0
#include "blocking/inline_core.hpp"

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/exception/note_attempts.hpp>
#include <twat/mp/detail/operation/blocking_core.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/system_executor.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "engine/retry_plan.hpp"
#include "function/function.hpp"
#include "pool/check_options.hpp"
#include "pool/check_state.hpp"
#include "start/attachments.hpp"
#include "start/worker_context.hpp"
#include "time/saturating.hpp"
#include "usage/bill.hpp"

namespace twat::mp::detail {
namespace {

using clock = std::chrono::steady_clock;

/// @param limit Zero: none.
clock::time_point limit_from(clock::time_point begin, duration limit)
{
    return limit == duration::zero() ? clock::time_point::max() : saturating_add(begin, limit);
}

/// As long as it lives, the calling thread is the pool's worker.
class inline_scope
{
public:
    explicit inline_scope(inline_worker& worker, const std::stop_source* stop = nullptr,
                          clock::time_point deadline = clock::time_point::max())
        : turn_(worker.turn, std::defer_lock)
    {
        if (worker.state)
            turn_.lock();
        context_.state = worker.state;
        context_.executor = loop_.get_executor();
        context_.stop = stop;
        context_.deadline = deadline;
        outer_ = enter_worker(&context_);
    }
    inline_scope(const inline_scope&) = delete;
    inline_scope& operator=(const inline_scope&) = delete;
    ~inline_scope() { enter_worker(outer_); }

    /// It runs this task, not the initializer or the finalizer.
    void run(std::uint64_t index, const operation_traits& traits, report_board& board, report_hook& hook) noexcept
    {
        context_.task = {.chunk = index + 1,
                         .first = index,
                         .seed = traits.options.seed,
                         .reports = traits.counts_progress,
                         .trace = &traits.options.trace_parent};
        context_.board = &board;
        context_.reported = &hook;
    }

    asio::io_context& loop() noexcept { return loop_; }
    const std::shared_ptr<worker_state_base>& state() const noexcept { return context_.state; }

private:
    std::unique_lock<std::recursive_mutex> turn_;
    asio::io_context loop_{1};
    worker_context context_;
    worker_context* outer_;
};

} // namespace

/// Descriptors that nobody decodes are closed.
struct inbox_scope
{
    explicit inbox_scope(std::uint64_t owner) : owner(owner) {}
    inbox_scope(const inbox_scope&) = delete;
    inbox_scope& operator=(const inbox_scope&) = delete;
    ~inbox_scope() { attachment_inbox::of_chunks().drop(owner); }
    const std::uint64_t owner;
};

inline_run::inline_run(std::shared_ptr<operation> op, bool encodes, std::size_t message_limit,
                       const std::atomic<bool>& terminated, inline_worker& worker)
    : op_(std::move(op)), encodes_(encodes), message_limit_(message_limit), terminated_(terminated), worker_(worker),
      deadline_(std::min(task_deadline(), limit_from(begun_, op_->traits().options.deadline)))
{}

bool inline_run::run()
{
    try {
        if (encodes_ && !function_) {
            const byte_buffer bytes = op_->encode_function(false);
            decoder in(bytes.bytes());
            function_ = decode_function(in);
        }
        while (!over_ && op_->demand() != 0)
            if (!run_next())
                return true;
    }
    catch (...) {
        end(std::current_exception());
    }
    return over_;
}

void inline_run::cancel(asio::cancellation_type type) noexcept
{
    const auto limit = op_->traits().options.cancel_limit;
    const auto allowed = type & limit;
    constexpr auto strong = asio::cancellation_type::terminal | asio::cancellation_type::partial;
    if ((allowed & strong) == asio::cancellation_type::none)
        return; // total: a task has begun
    cancelled_ = true;
    stop_.request_stop();
}

std::exception_ptr inline_run::why_not_on() const
{
    if (terminated_)
        return make_error(errc::pool_terminated);
    if (cancelled_)
        return make_aborted();
    if (deadline_ != clock::time_point::max() && clock::now() >= deadline_)
        return make_error(errc::deadline_exceeded);
    return nullptr;
}

/// Of a task that begins now.
clock::time_point inline_run::task_ends_by() const
{
    return std::min(deadline_, limit_from(clock::now(), op_->traits().options.timeout));
}

/// Runs one task. False: the operation is over.
bool inline_run::run_next()
{
    if (auto error = why_not_on()) {
        end(std::move(error));
        return false;
    }
    const std::unique_ptr<payload> tasks = op_->make_payload();
    const pull_result pulled = op_->pull(*tasks, 1, message_limit_);
    next_ += pulled.skipped;
    done_ += pulled.skipped;
    std::exception_ptr error;
    if (pulled.count != 0) {
        const auto& options = op_->traits().options;
        const auto began = clock::now();
        task_meter meter;
        if (op_->traits().counts_usage)
            meter.begin();
        error = call_by_policy(*tasks);
        if (op_->traits().counts_usage)
            op_->report_usage(bill(meter.end(), next_, begun_));
        if (auto stopped = why_not_on()) {
            end(std::move(stopped));
            return false;
        }
        if (options.timeout != duration::zero() && clock::now() - began >= options.timeout)
            error = make_error(errc::task_timed_out, {}, static_cast<std::size_t>(next_));
    } else if (pulled.refused) {
        error = pulled.refused;
    }
    if (pulled.count != 0 || pulled.refused) {
        ++done_;
        if (error) {
            ++failed_;
            if (!take_failure(next_, std::move(error)))
                return false;
        }
        ++next_;
        if (op_->traits().counts_progress) {
            tell_reports();
            if (progress_error_)
                std::rethrow_exception(progress_error_);
            op_->report_progress(progress_now());
        }
    } else if (pulled.skipped != 0 && op_->traits().counts_progress) {
        op_->report_progress(progress_now());
    }
    if (pulled.broken)
        end(pulled.broken);
    else if (pulled.ended)
        end(nullptr);
    return !over_;
}

progress inline_run::progress_now() const
{
    progress now;
    now.done = done_;
    now.failed = failed_;
    now.total = op_->traits().total;
    now.elapsed = clock::now() - begun_;
    return now;
}

// In the middle of a task.
void inline_run::reported()
{
    constexpr auto pause = std::chrono::milliseconds(100);
    if (const auto now = clock::now(); now - told_ >= pause) {
        told_ = now;
        tell_reports();
    }
}

void inline_run::tell_reports() noexcept
{
    try {
        reports_.take(board_, [this](task_report&& report) {
            progress now = progress_now();
            now.task = static_cast<std::size_t>(report.index);
            now.fraction = report.fraction;
            now.text = std::move(report.text);
            if (!progress_error_)
                op_->report_progress(now);
        });
    }
    catch (...) {
        progress_error_ = std::current_exception();
    }
}

/// Runs the task as often as `call_options::retry` allows.
std::exception_ptr inline_run::call_by_policy(payload& tasks)
{
    const call_options& options = op_->traits().options;
    for (std::size_t attempt = 1;; ++attempt) {
        std::exception_ptr error = encodes_ ? call_encoded(tasks, next_) : call(tasks, next_);
        if (!error || options.retry.attempts <= 1)
            return error;
        const auto due = next_attempt(options.retry, attempt, clock::now(), deadline_,
                                      std::uniform_real_distribution<>(0, 1)(random_));
        if (!due || why_not_on() || !options.retry.on(error)) {
            note_attempts(error, attempt);
            return error;
        }
        while (clock::now() < *due && !why_not_on())
            std::this_thread::sleep_for(std::min<duration>(*due - clock::now(), std::chrono::milliseconds(10)));
        ++retried_;
    }
}

std::exception_ptr inline_run::call(payload& tasks, std::uint64_t index)
{
    const auto& traits = op_->traits();
    {
        inline_scope here(worker_, &stop_, task_ends_by());
        here.run(index, traits, board_, *this);
        std::exception_ptr error;
        if (traits.coroutine) {
            bool done = false;
            asio::co_spawn(here.loop(), op_->run_async(tasks, 0, index),
                           [&](std::exception_ptr thrown, std::exception_ptr result) {
                               done = true;
                               error = thrown ? thrown : result;
                           });
            while (!done && here.loop().run_one() != 0) {
            }
            if (!done)
                error = make_aborted();
        } else {
            error = op_->run(tasks, 0, index);
        }
        if (error)
            return error;
    }
    return op_->store({.index = index, .tasks = &tasks, .position = 0});
}

std::exception_ptr inline_run::call_encoded(payload& tasks, std::uint64_t index)
{
    const auto arguments = static_cast<encoded_payload&>(tasks)[0];
    encoder result(message_limit_);
    result.allow_descriptors();
    const auto owner = reinterpret_cast<std::uintptr_t>(&result);
    const inbox_scope closes(owner);
    if (const attachments* const sent = static_cast<encoded_payload&>(tasks).sent())
        deliver_here(owner, *sent);
    {
        inline_scope here(worker_, &stop_, task_ends_by());
        here.run(index, op_->traits(), board_, *this);
        try {
            decoder in(arguments);
            function_->call(in, result);
        }
        catch (...) {
            return annotate(std::current_exception(), index, function_->describe(decoder(arguments)));
        }
    }
    if (result.sent())
        deliver_here(owner, *result.sent());
    decoder value(result.bytes());
    return op_->store({.index = index, .value = &value});
}

/// False: it ends the operation.
bool inline_run::take_failure(std::uint64_t index, std::exception_ptr error)
{
    if (op_->traits().stops_at_failure) {
        end(std::move(error));
        return false;
    }
    op_->store_failure(index, std::move(error));
    return true;
}

void inline_run::end(std::exception_ptr error)
{
    if (!std::exchange(over_, true))
        op_->complete(std::move(error));
}

namespace {

/// The pool's state behind `inline_pool`: no thread, no context.
class inline_pool_core final : public pool_core
{
public:
    inline_pool_core(std::shared_ptr<const backend_factory> factory, bool encodes)
        : factory_(std::move(factory)), options_(factory_->options()), encodes_(encodes)
    {}

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
        now.ready = ready_ ? 1 : 0;
        now.busy = runs_.empty() ? 0 : 1;
        now.running = runs_.size();
        now.done = done_;
        now.failed = failed_;
        now.retried = retried_;
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
        const auto run = std::make_shared<inline_run>(op, encodes_, options_.max_message_size, terminated_, worker_);
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
        std::move(handler)(nullptr, pool_dump{.when = std::chrono::system_clock::now(), .at = clock::now()});
    }

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
        std::lock_guard lock(start_mutex_);
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
        std::lock_guard counting(mutex_);
        ready_ = true;
    }

    void end_worker()
    {
        closed_ = true;
        {
            std::lock_guard lock(mutex_);
            if (!std::exchange(ready_, false) || terminated_)
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
    detail::exit_values exit_values_;
    std::atomic<bool> closed_{false}, terminated_{false};
    std::mutex start_mutex_;
    bool started_ = false;
    std::exception_ptr start_error_;
    mutable std::mutex mutex_;
    bool ready_ = false;
    std::size_t done_ = 0, failed_ = 0, retried_ = 0;
    std::unordered_map<const operation*, std::shared_ptr<inline_run>> runs_;
};

class inline_core final : public blocking_core
{
public:
    inline_core(std::shared_ptr<const backend_factory> factory, bool encodes)
        : pool_(std::make_shared<inline_pool_core>(std::move(factory), encodes))
    {}

    const std::shared_ptr<pool_core>& pool() const noexcept override { return pool_; }
    void check_may_wait() const override {}
    void check_usable() const override {}
    void submit(const std::shared_ptr<operation>& op) override { pool_->submit(op); }

    void wait(blocking_wait& until, const std::function<void()>& begin, duration limit) override
    {
        begin();
        if (!until.finished())
            until.wait_until(saturating_add(clock::now(), limit));
    }

    void start() override
    {
        std::exception_ptr failed;
        pool_->start([&](std::exception_ptr error) { failed = std::move(error); });
        if (failed)
            std::rethrow_exception(failed);
    }

    void join() override
    {
        pool_->join([](std::exception_ptr) {});
    }

    drain_report drain(duration limit) override
    {
        drain_report report;
        pool_->drain(limit, [&](std::exception_ptr, drain_report told) { report = told; });
        return report;
    }

    pool_dump dump() override
    {
        pool_dump found;
        pool_->dump([&](std::exception_ptr, pool_dump told) { found = std::move(told); });
        return found;
    }

    void end(bool terminate) noexcept override
    {
        if (terminate)
            pool_->terminate();
        try {
            join();
        }
        catch (...) {
            // Nobody is there to be told.
        }
        pool_->release();
    }

private:
    const std::shared_ptr<pool_core> pool_;
};

} // namespace

std::shared_ptr<pool_core> make_inline_pool_core(std::shared_ptr<const backend_factory> factory, bool encodes)
{
    return std::make_shared<inline_pool_core>(std::move(factory), encodes);
}

std::shared_ptr<blocking_core> blocking_core::create_inline(std::shared_ptr<const backend_factory> factory,
                                                            bool encodes)
{
    count_nodes(*factory);
    return std::make_shared<inline_core>(std::move(factory), encodes);
}

} // namespace twat::mp::detail
