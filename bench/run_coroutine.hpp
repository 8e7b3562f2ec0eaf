// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_RUN_COROUTINE_HPP
#define TWAT_MP_BENCH_RUN_COROUTINE_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <utility>

namespace bench {

namespace asio = boost::asio;

/// Runs `context` until `body` has returned and everything is done; rethrows what it threw.
template <class T>
void run_coroutine(asio::io_context& context, asio::awaitable<T> body)
{
    std::exception_ptr failure;
    asio::co_spawn(context, std::move(body), [&](std::exception_ptr error) { failure = error; });
    context.run();
    if (failure)
        std::rethrow_exception(failure);
}

} // namespace bench

#endif
