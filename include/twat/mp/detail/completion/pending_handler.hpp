// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_PENDING_HANDLER_HPP
#define TWAT_MP_DETAIL_COMPLETION_PENDING_HANDLER_HPP

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** A completion handler that waits for its call: keeps work on its own executor and on the pool's meanwhile. */
template <class Handler, class Executor>
class pending_handler
{
    using handler_executor = asio::associated_executor_t<Handler, Executor>;

public:
    using executor_type = handler_executor;
    using allocator_type = asio::associated_allocator_t<Handler>;

    pending_handler(Handler handler, const Executor& pool_executor)
        : handler_(std::move(handler)), executor_(asio::get_associated_executor(handler_, pool_executor)),
          work_(executor_), pool_work_(pool_executor)
    {}

    executor_type get_executor() const noexcept { return executor_; }
    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }

    /// The handler is about to be posted: from now on the pool has nothing outstanding for it. Its own executor may run much later.
    void leave_pool() noexcept { pool_work_.reset(); }

    /// On the handler's executor: takes the operation off the handler's cancellation slot and calls the handler.
    template <class... Values>
    void call(Values&&... values)
    {
        auto slot = asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected())
            slot.clear();
        work_.reset();
        // The handler may end what this object is part of.
        auto handler = std::move(handler_);
        std::move(handler)(std::forward<Values>(values)...);
    }

private:
    Handler handler_;
    handler_executor executor_;
    asio::executor_work_guard<handler_executor> work_;
    asio::executor_work_guard<Executor> pool_work_;
};

} // namespace twat::mp::detail

#endif
