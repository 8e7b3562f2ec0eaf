// SPDX-License-Identifier: BSL-1.0
#include "inline/inline_run.hpp"

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/exception/annotate.hpp>
#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/detail/exception/note_attempts.hpp>
#include <twat/mp/error.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <thread>

#include "engine/retry_plan.hpp"
#include "function/function.hpp"
#include "start/attachments.hpp"
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

/// Descriptors that nobody decodes are closed.
struct inbox_scope
{
    explicit inbox_scope(std::uint64_t owner) : owner(owner) {}
    inbox_scope(const inbox_scope&) = delete;
    inbox_scope& operator=(const inbox_scope&) = delete;
    ~inbox_scope() { attachment_inbox::of_chunks().drop(owner); }
    const std::uint64_t owner;
};

} // namespace

inline_run::inline_run(std::shared_ptr<operation> op, bool encodes, std::size_t message_limit,
                       const std::atomic<bool>& terminated, inline_worker& worker, inline_events& events)
    : op_(std::move(op)), encodes_(encodes), message_limit_(message_limit), terminated_(terminated), worker_(worker),
      events_(events), number_(events.number_operation()),
      deadline_(std::min(task_deadline(), limit_from(begun_, op_->traits().options.deadline)))
{}

bool inline_run::run()
{
    try {
        if (encodes_ && !function_) {
            const attached_bytes encoded = op_->encode_function(false); // which it refers to until it is decoded
            decoder in(encoded.bytes.bytes());
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
    trace_outcome how = trace_outcome::failed;
    if (pulled.count != 0) {
        const auto& options = op_->traits().options;
        const auto began = clock::now();
        inline_events::task told(events_, number_, next_, *op_);
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
        if (options.timeout != duration::zero() && clock::now() - began >= options.timeout) {
            error = make_error(errc::task_timed_out, {}, static_cast<std::size_t>(next_));
            how = trace_outcome::timed_out;
        }
        told.end(error ? how : trace_outcome::done);
    } else if (pulled.refused) {
        error = pulled.refused;
    }
    if (pulled.count != 0 || pulled.refused) {
        ++done_;
        if (error) {
            ++failed_;
            events_.task_failed(next_, op_->traits(), how, error);
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
    result.allow(op_->traits().keeps_bytes ? travellers::none : travellers::all);
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

} // namespace twat::mp::detail
