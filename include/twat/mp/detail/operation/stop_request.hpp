// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_STOP_REQUEST_HPP
#define TWAT_MP_DETAIL_OPERATION_STOP_REQUEST_HPP

#include <boost/asio/cancellation_type.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <twat/mp/config.hpp>

#include <twat/mp/detail/exception/aborted.hpp>
#include <twat/mp/detail/operation/initiate.hpp>

namespace twat::mp::detail {

/** Cancels an operation, as by `terminal`, when a stop is requested, for as long as this lives. */
class stop_watch
{
public:
    /// Throws `operation_aborted` if it is requested already: then nothing is to begin.
    static void check(const std::stop_token& stop)
    {
        if (stop.stop_requested())
            std::rethrow_exception(make_aborted());
    }

    /// Comes behind the submission of the operation.
    void start(const std::stop_token& stop, cancel_request request)
    {
        if (stop.stop_possible())
            callback_.emplace(stop, stop_request(std::move(request)));
    }

private:
    class stop_request
    {
    public:
        explicit stop_request(cancel_request request) : request_(std::move(request)) {}
        void operator()() const { request_(asio::cancellation_type::terminal); }

    private:
        cancel_request request_;
    };

    std::optional<std::stop_callback<stop_request>> callback_;
};

} // namespace twat::mp::detail

#endif
