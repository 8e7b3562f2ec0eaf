// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_LATER_HPP
#define TWAT_MP_LATER_HPP

#include <chrono>
#include <future>
#include <optional>
#include <type_traits>
#include <utility>

#include <twat/mp/config.hpp>
#include <twat/mp/future.hpp>

namespace twat::mp {

/** Results that are on their way, from `amap(f)`. Move-only; destroying it does not wait.

    `get`, `begin` and `end` wait for the results and throw what the call threw.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.

    @tparam T `std::vector` of the results, or `void`.
*/
template <class T>
class later
{
public:
    /// Takes over a future, such as `multi_pool::amap` returns.
    explicit later(mp::future<T> future) noexcept : future_(std::move(future)) {}
    /// The same.
    explicit later(std::future<T> future) noexcept : future_(std::move(future)) {}

    /// Waits for the results and moves them out. @pre `valid()`
    T get()
    {
        fetch();
        T values = std::move(*values_);
        values_.reset();
        return values;
    }

    /// The results as a range, which this object keeps. @pre `valid()`
    auto begin() { return fetch().begin(); }
    auto end() { return fetch().end(); }

    /// Whether there are results, or will be: false after `get`, and once a failure was thrown.
    bool valid() const noexcept { return values_ || future_.valid(); }

    /// Cancels the call; see `future::cancel`.
    void cancel() const { future_.cancel(); }

    /// Waits until `get` need not. @pre `valid()`
    void wait() const
    {
        if (!values_)
            future_.wait();
    }

    /// The same for a limited time.
    template <class Rep, class Period>
    std::future_status wait_for(const std::chrono::duration<Rep, Period>& limit) const
    {
        return values_ ? std::future_status::ready : future_.wait_for(limit);
    }

private:
    T& fetch()
    {
        if (!values_)
            values_.emplace(future_.get());
        return *values_;
    }

    mp::future<T> future_;
    std::optional<T> values_;
};

/** The same of tasks that return nothing.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe.
*/
template <>
class later<void>
{
public:
    /// Takes over a future, such as `multi_pool::amap` returns.
    explicit later(mp::future<void> future) noexcept : future_(std::move(future)) {}
    /// The same.
    explicit later(std::future<void> future) noexcept : future_(std::move(future)) {}

    /// Waits until all tasks have ended; throws what the call threw. @pre `valid()`
    void get() { future_.get(); }
    /// Asks for the call to be cancelled, as `future::cancel`.
    void cancel() const { future_.cancel(); }
    /// False after `get`.
    bool valid() const noexcept { return future_.valid(); }
    /// Waits until `get` need not. @pre `valid()`
    void wait() const { future_.wait(); }

    /// The same for a limited time.
    template <class Rep, class Period>
    std::future_status wait_for(const std::chrono::duration<Rep, Period>& limit) const
    {
        return future_.wait_for(limit);
    }

private:
    mp::future<void> future_;
};

} // namespace twat::mp

#endif
