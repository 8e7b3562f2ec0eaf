// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_FUTURE_COMPLETION_HPP
#define TWAT_MP_DETAIL_COMPLETION_FUTURE_COMPLETION_HPP

#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/completion/completion_signal.hpp>
#include <twat/mp/detail/exception/aborted.hpp>

namespace twat::mp::detail {

/// The completion of an operation whose result is read from a future.
template <class T>
class future_completion
{
public:
    /// @param signal Raised when the future is ready.
    explicit future_completion(std::shared_ptr<completion_signal> signal)
        : promise_(std::in_place), signal_(std::move(signal))
    {}
    future_completion(future_completion&& other) noexcept
        : promise_(std::move(other.promise_)), signal_(std::move(other.signal_))
    {
        other.promise_.reset();
    }
    future_completion& operator=(future_completion&&) = delete;
    ~future_completion()
    {
        if (promise_)
            fail(make_aborted());
    }

    std::future<T> get_future() { return promise_->get_future(); }

    void operator()(std::exception_ptr error) noexcept
    {
        if (error)
            return fail(std::move(error));
        if constexpr (std::is_void_v<T>)
            promise_->set_value();
        finish();
    }

    template <class Value>
    void operator()(std::exception_ptr error, Value&& value) noexcept
    {
        if (error)
            return fail(std::move(error));
        try {
            promise_->set_value(std::forward<Value>(value));
            finish();
        }
        catch (...) {
            fail(std::current_exception());
        }
    }

    void fail(std::exception_ptr error) noexcept
    {
        promise_->set_exception(std::move(error));
        finish();
    }

private:
    void finish() noexcept
    {
        promise_.reset();
        if (signal_)
            std::exchange(signal_, nullptr)->raise();
    }

    std::optional<std::promise<T>> promise_;
    std::shared_ptr<completion_signal> signal_;
};

} // namespace twat::mp::detail

#endif
