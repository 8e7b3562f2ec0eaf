// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_INITIATE_HPP
#define TWAT_MP_DETAIL_OPERATION_INITIATE_HPP

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/completion/async_completion.hpp>
#include <twat/mp/detail/operation/operation.hpp>
#include <twat/mp/detail/operation/pool_core.hpp>

namespace twat::mp::detail {

template <class Completed>
struct completion_signature
{
    using type = void(std::exception_ptr, Completed);
};

template <>
struct completion_signature<void>
{
    using type = void(std::exception_ptr);
};

/// How an operation that yields `Completed` ends.
template <class Completed>
using completion_signature_t = typename completion_signature<Completed>::type;

/// Hands an operation to the pool. If it cannot be taken (in a forked process, say) the operation ends with the reason.
inline void submit(pool_core& core, const std::shared_ptr<operation>& op) noexcept
{
    try {
        core.submit(op);
    }
    catch (...) {
        op->complete(std::current_exception());
    }
}

/// What a cancellation signal calls: passes the request on to the pool, which decides on its strand.
class cancel_request
{
public:
    cancel_request(const std::shared_ptr<pool_core>& core, const std::shared_ptr<operation>& op) : core_(core), op_(op)
    {}

    void operator()(asio::cancellation_type type) const
    {
        const auto core = core_.lock();
        auto op = op_.lock();
        if (core && op)
            core->cancel(std::move(op), type);
    }

private:
    std::weak_ptr<pool_core> core_;
    std::weak_ptr<operation> op_;
};

/** Starts an operation when its token asks for it: at once, or when it is awaited. */
template <class Executor>
class call_initiation
{
public:
    using executor_type = Executor;

    call_initiation(std::shared_ptr<pool_core> core, const Executor& executor)
        : core_(std::move(core)), executor_(executor)
    {}

    executor_type get_executor() const noexcept { return executor_; }

    template <class Handler, class Call>
    void operator()(Handler&& handler, Call call) const
    {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto op = std::move(call).make(
            async_completion<std::decay_t<Handler>, Executor>(std::forward<Handler>(handler), executor_));
        if (slot.is_connected())
            slot.template emplace<cancel_request>(core_, op);
        submit(*core_, op);
    }

private:
    std::shared_ptr<pool_core> core_;
    Executor executor_;
};

/** A wait for something that goes on whether it is waited for or not. Cancelling ends the wait only. */
template <class Completion>
class shared_wait
{
public:
    template <class C>
    explicit shared_wait(C&& completion) : completion_(std::in_place, std::forward<C>(completion))
    {}

    /// Ends the wait. Only the first call has an effect; may be called from any thread.
    template <class... Values>
    void finish(std::exception_ptr error, Values... values)
    {
        std::optional<Completion> completion;
        {
            std::lock_guard lock(mutex_);
            if (!completion_)
                return;
            completion.emplace(std::move(*completion_));
            completion_.reset();
        }
        (*completion)(std::move(error), std::move(values)...);
    }

private:
    std::mutex mutex_;
    std::optional<Completion> completion_;
};

/** Starts a wait by `wait(pool_core&, handler)`, whose handler is called as `void(std::exception_ptr, Values...)`. */
template <class Executor, class Wait, class... Values>
class wait_initiation
{
public:
    using executor_type = Executor;

    wait_initiation(std::shared_ptr<pool_core> core, const Executor& executor, Wait begin = Wait())
        : core_(std::move(core)), executor_(executor), begin_(begin)
    {}

    executor_type get_executor() const noexcept { return executor_; }

    template <class Handler>
    void operator()(Handler&& handler) const
    {
        using completion = async_completion<std::decay_t<Handler>, Executor>;
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto wait = std::make_shared<shared_wait<completion>>(completion(std::forward<Handler>(handler), executor_));
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr(wait)](asio::cancellation_type) {
                if (const auto waiting = weak.lock())
                    waiting->finish(make_aborted(), Values()...);
            });
        try {
            begin_(*core_, [wait](std::exception_ptr error, Values... values) {
                wait->finish(std::move(error), std::move(values)...);
            });
        }
        catch (...) {
            wait->finish(std::current_exception(), Values()...);
        }
    }

private:
    std::shared_ptr<pool_core> core_;
    Executor executor_;
    Wait begin_;
};

struct wait_for_start
{
    void operator()(pool_core& core, pool_core::start_handler handler) const { core.start(std::move(handler)); }
};

struct wait_for_join
{
    void operator()(pool_core& core, pool_core::start_handler handler) const { core.join(std::move(handler)); }
};

struct wait_for_dump
{
    void operator()(pool_core& core, pool_core::dump_handler handler) const { core.dump(std::move(handler)); }
};

struct wait_for_drain
{
    duration limit{};

    void operator()(pool_core& core, pool_core::drain_handler handler) const { core.drain(limit, std::move(handler)); }
};

} // namespace twat::mp::detail

#endif
