// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_TICKER_HPP
#define TWAT_MP_BENCH_TICKER_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <vector>

#include "clock.hpp"
#include "registry.hpp"
#include "statistics.hpp"

namespace bench {

/** A loop with a timer of 1 ms, for W9: how late is it?

    `load(over)` is a coroutine that does its work on the same loop until `over()`.
*/
template <class Load>
measured lateness(const effort& how, boost::asio::io_context& context, Load load)
{
    namespace asio = boost::asio;
    constexpr std::chrono::milliseconds period{1};
    const auto end = clock::now() + how.of(std::chrono::milliseconds(2000), std::chrono::milliseconds(300));
    std::vector<double> late;
    auto tick = [&]() -> asio::awaitable<void> {
        asio::steady_timer timer(context);
        while (clock::now() < end) {
            const auto begin = clock::now();
            timer.expires_after(period);
            co_await timer.async_wait(asio::use_awaitable);
            late.push_back(seconds(clock::now() - begin - period) * 1e6);
        }
    };
    std::exception_ptr failure;
    const auto over = [end] { return clock::now() >= end; };
    asio::co_spawn(context, tick(), asio::detached);
    asio::co_spawn(context, load(over), [&](std::exception_ptr error) { failure = error; });
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return {quantile(late, 0.99), {{"p50", quantile(late, 0.5)}, {"max", quantile(late, 1)}}};
}

} // namespace bench

#endif
