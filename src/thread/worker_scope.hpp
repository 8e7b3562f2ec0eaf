// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_THREAD_WORKER_SCOPE_HPP
#define TWAT_MP_SRC_THREAD_WORKER_SCOPE_HPP

#include <utility>

#include "start/worker_context.hpp"

namespace twat::mp::detail {

/// As long as it lives, `this_worker` and `this_task` answer for this worker in the calling thread; then as before.
class worker_scope
{
public:
    worker_scope(std::size_t index, boost::asio::any_io_executor executor, const void* pool,
                 report_board* board = nullptr)
    {
        context_.index = index;
        context_.executor = std::move(executor);
        context_.pool = pool;
        context_.board = board;
        outer_ = enter_worker(&context_);
        context_.outer = outer_;
        context_.life = outer_ ? outer_->life : nullptr;
    }
    worker_scope(const worker_scope&) = delete;
    worker_scope& operator=(const worker_scope&) = delete;
    ~worker_scope() { enter_worker(outer_); }

    /// Comes before tasks run in it. A scope inside another one has that of the outer one.
    void set_life(thread_life& life) noexcept { context_.life = &life; }

private:
    worker_context context_;
    worker_context* outer_;
};

} // namespace twat::mp::detail

#endif
