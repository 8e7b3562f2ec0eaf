// SPDX-License-Identifier: BSL-1.0
// async_multi_pool: awaitable operations, and tasks that are coroutines in the worker.
#include <twat/mp.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <ranges>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;

// Python: async def work(x):
//             await asyncio.sleep(0.1)  # Some async work
//             return x * 2
asio::awaitable<int> work(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 100ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return x * 2;
}

// Python: async with AsyncMultiPool() as pool:
//             results = await pool.map(work, range(10))
asio::awaitable<std::vector<int>> process_items()
{
    mp::async_multi_pool pool(co_await asio::this_coro::executor);
    co_return co_await pool.map(work, std::views::iota(0, 10));
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        asio::io_context context;
        auto results = asio::co_spawn(context, process_items(), asio::use_future);
        context.run();
        for (int x : results.get())
            std::cout << x << ' ';
        std::cout << '\n';
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
