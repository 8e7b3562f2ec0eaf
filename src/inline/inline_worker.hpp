// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_INLINE_INLINE_WORKER_HPP
#define TWAT_MP_SRC_INLINE_INLINE_WORKER_HPP

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>

#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/worker_state.hpp>

#include "start/worker_context.hpp"

namespace twat::mp::detail {

/// The worker of an inline pool: whichever thread makes a call.
struct inline_worker
{
    std::shared_ptr<worker_state_base> state{};
    std::recursive_mutex turn{}; ///< Threads that would use the state at once take turns.
};

/// As long as it lives, the calling thread is the pool's worker.
class inline_scope
{
public:
    explicit inline_scope(
        inline_worker& worker, const std::stop_source* stop = nullptr,
        std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());
    inline_scope(const inline_scope&) = delete;
    inline_scope& operator=(const inline_scope&) = delete;
    ~inline_scope();

    /// It runs this task, not the initializer or the finalizer.
    void run(std::uint64_t index, const operation_traits& traits, report_board& board, report_hook& hook) noexcept;

    asio::io_context& loop() noexcept { return loop_; }
    const std::shared_ptr<worker_state_base>& state() const noexcept { return context_.state; }

private:
    std::unique_lock<std::recursive_mutex> turn_;
    asio::io_context loop_{1};
    worker_context context_;
    worker_context* outer_;
};

} // namespace twat::mp::detail

#endif
