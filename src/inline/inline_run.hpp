// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_INLINE_INLINE_CORE_HPP
#define TWAT_MP_SRC_INLINE_INLINE_CORE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <stop_token>
#include <utility>

#include <twat/mp/detail/function/worker_function.hpp>
#include <twat/mp/detail/operation/operation.hpp>

#include "inline/inline_events.hpp"
#include "inline/inline_worker.hpp"
#include "start/worker_context.hpp"

namespace twat::mp::detail {

/** A call that the thread which made it runs, one task after the other. A stream is run as far as its reader wants. */
class inline_run final : private report_hook
{
public:
    /// @param encodes Arguments, results and the function go through bytes, as to and from a process.
    inline_run(std::shared_ptr<operation> op, bool encodes, std::size_t message_limit,
               const std::atomic<bool>& terminated, inline_worker& worker, inline_events& events);

    /// Runs what is wanted now. Returns whether the operation is over; then it has completed.
    bool run();

    void cancel(asio::cancellation_type type) noexcept;

    std::size_t done() const noexcept { return done_; }
    std::size_t failed() const noexcept { return failed_; }
    std::size_t retried() const noexcept { return retried_; }

private:
    bool run_next();
    std::exception_ptr call_by_policy(payload& tasks);
    std::exception_ptr call(payload& tasks, std::uint64_t index);
    std::exception_ptr call_encoded(payload& tasks, std::uint64_t index);
    bool take_failure(std::uint64_t index, std::exception_ptr error);
    std::exception_ptr why_not_on() const;
    std::chrono::steady_clock::time_point task_ends_by() const;
    void reported() override;
    void tell_reports() noexcept;
    progress progress_now() const;
    void end(std::exception_ptr error);

    const std::shared_ptr<operation> op_;
    const bool encodes_;
    const std::size_t message_limit_;
    const std::atomic<bool>& terminated_;
    inline_worker& worker_;
    inline_events& events_;
    const std::uint64_t number_; ///< Of the operation in its pool.
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    const std::chrono::steady_clock::time_point deadline_; ///< Also that of the task that made the call.
    std::unique_ptr<worker_function> function_;
    std::stop_source stop_;
    std::atomic<bool> cancelled_{false};
    std::uint64_t next_ = 0;
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
    std::size_t retried_ = 0;
    std::minstd_rand random_; ///< For the pauses between attempts.
    report_board board_{};
    report_reader reports_;
    std::chrono::steady_clock::time_point told_{}; ///< When what tasks report was.
    std::exception_ptr progress_error_;            ///< Thrown by the callback, in the middle of a task.
    bool over_ = false;
};

} // namespace twat::mp::detail

#endif
