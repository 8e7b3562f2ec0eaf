// SPDX-License-Identifier: BSL-1.0
// apmap: as pmap, but the function is a coroutine, and the results are awaited by another one.
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

// Python: @apmap # Experimental
//         async def double_async(x):
//             await asyncio.sleep(0.1)  # Some async work
//             return x * 2
const auto double_async = mp::apmap([](int x) -> asio::awaitable<int> {
    asio::steady_timer timer(co_await asio::this_coro::executor, 100ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return x * 2;
});

// Python: results = await double_async(range(10))
asio::awaitable<void> main_apmap_example()
{
    std::vector<int> results = co_await double_async(std::views::iota(0, 10));
    for (int x : results)
        std::cout << x << ' ';
    std::cout << '\n';
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        asio::io_context context;
        auto done = asio::co_spawn(context, main_apmap_example(), asio::use_future);
        context.run();
        done.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
