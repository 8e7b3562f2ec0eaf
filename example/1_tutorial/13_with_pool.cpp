// SPDX-License-Identifier: BSL-1.0
// with_pool: such a scope for coroutines. A destructor cannot await, so the scope is a function that is given the pool.
#include <twat/mp.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;

// Python: async def async_example_func(item):
//             await asyncio.sleep(0.01)
//             return item * item
asio::awaitable<int> async_example_func(int item)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 10ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return item * item;
}

// Python: async with AsyncMultiPool() as pool:
//             data = range(5)
//             results = await pool.map(async_example_func, data)
asio::awaitable<std::vector<int>> use_the_pool(mp::async_multi_pool& pool)
{
    const std::vector<int> data{0, 1, 2, 3, 4};
    co_return co_await pool.map(async_example_func, data);
}

asio::awaitable<void> main_resource_management_async()
{
    const mp::pool_options options; // g++ 12 needs a name for it: temporaries within a co_await are destroyed twice
    std::vector<int> results = co_await mp::with_pool(options, use_the_pool);
    // Pool is now closed and resources are freed
    std::cout << "Async results:";
    for (int x : results)
        std::cout << ' ' << x;
    std::cout << '\n';
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        asio::io_context context;
        auto done = asio::co_spawn(context, main_resource_management_async(), asio::use_future);
        context.run();
        done.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
