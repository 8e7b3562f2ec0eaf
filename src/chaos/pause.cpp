// SPDX-License-Identifier: BSL-1.0
#include "chaos/pause.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace twat::mp::detail {

asio::awaitable<void> pause(std::chrono::nanoseconds time)
{
    try {
        asio::steady_timer timer(co_await asio::this_coro::executor, time);
        co_await timer.async_wait(asio::use_awaitable);
    }
    catch (const std::exception&) { // cancelled, now or before
    }
}

} // namespace twat::mp::detail
