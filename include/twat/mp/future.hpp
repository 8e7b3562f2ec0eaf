// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_FUTURE_HPP
#define TWAT_MP_FUTURE_HPP

#include <boost/asio/cancellation_type.hpp>

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/completion/completion_signal.hpp>
#include <twat/mp/detail/operation/initiate.hpp>

namespace twat::mp {

template <class Futures>
class completed_futures;

/** The result of `submit` or `amap`: a `std::future` that can also cancel. Converts to `std::future`.

    Its destructor neither waits nor cancels.

    @par Thread Safety
    Distinct objects: safe. Shared objects: unsafe, with the specific exception of `cancel`.

    @par Example
    @code
    auto answer = pool.submit(search, text);
    if (answer.wait_for(1s) == std::future_status::timeout)
        answer.cancel();
    @endcode
*/
template <class T>
class future : public std::future<T>
{
public:
    using value_type = T;

    /// Without a result: `valid()` is false.
    future() noexcept = default;

    /// One that cannot cancel.
    explicit future(std::future<T> result) noexcept : std::future<T>(std::move(result)) {}

    /** Cancels the call as by a cancellation request of this type, capped by `call_options::cancel_limit`.

        The result is then the exception `asio::error::operation_aborted`: with processes at once, with threads when its running tasks have
        returned. No effect on a call that is over.
    */
    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) const
    {
        if (request_)
            (*request_)(type);
    }

    /// @private
    future(std::future<T> result, detail::cancel_request request,
           std::shared_ptr<detail::completion_signal> signal) noexcept
        : std::future<T>(std::move(result)), request_(std::move(request)), signal_(std::move(signal))
    {}

private:
    template <class Futures>
    friend class completed_futures;

    std::optional<detail::cancel_request> request_;
    std::shared_ptr<detail::completion_signal> signal_; ///< Null: it is deferred, or ready.
};

} // namespace twat::mp

#endif
