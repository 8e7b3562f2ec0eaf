// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_AWAITABLE_DEFERRED_HPP
#define TWAT_MP_DETAIL_COMPLETION_AWAITABLE_DEFERRED_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/version.hpp>

#if BOOST_VERSION < 108200

#include <exception>
#include <utility>

namespace boost::asio::detail {

/** Lets `co_await` take a deferred operation that ends with `void(std::exception_ptr, T)`.

    In Boost 1.81 the handler for that does not compile (its `resume` tests the wrong object). This one, for the same signature but
    more specialised, does what it was meant to do and what Boost does from 1.82 on. No program can hold both: without this one
    there is none.
*/
template <typename T, typename Executor>
class awaitable_async_op_handler<void(std::exception_ptr, T), Executor> : public awaitable_thread<Executor>
{
public:
    struct result_type
    {
        std::exception_ptr* error;
        T* value;
    };

    awaitable_async_op_handler(awaitable_thread<Executor>* thread, result_type& result)
        : awaitable_thread<Executor>(std::move(*thread)), result_(result)
    {}

    void operator()(std::exception_ptr error, T value)
    {
        result_.error = &error;
        result_.value = &value;
        this->entry_point()->top_of_stack_->attach_thread(this);
        this->entry_point()->top_of_stack_->clear_cancellation_slot();
        this->pump();
    }

    static T resume(result_type& result)
    {
        if (*result.error)
            std::rethrow_exception(std::exchange(*result.error, nullptr));
        return std::move(*result.value);
    }

private:
    result_type& result_;
};

} // namespace boost::asio::detail

#endif

#endif
