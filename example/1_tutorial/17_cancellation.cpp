// SPDX-License-Identifier: BSL-1.0
// The || of Asio's awaitable operators: whichever comes first, the other is cancelled.
#include <twat/mp.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

// A plain task that asks whether it is cancelled. One that does not ask is killed with its worker process after
// pool_options::cancel_grace.
int work(int)
{
    const std::stop_token cancelled = mp::this_task::stop_token();
    while (!cancelled.stop_requested())
        std::this_thread::sleep_for(1ms);
    return 0;
}

asio::awaitable<void> run()
{
    mp::async_multi_pool pool(co_await asio::this_coro::executor, 2);
    asio::steady_timer timer(co_await asio::this_coro::executor, 200ms);
    const std::vector<int> inputs{1, 2, 3, 4};

    // tag::cancel[]
    auto winner = co_await (pool.map(work, inputs) || timer.async_wait(asio::use_awaitable));
    std::cout << (winner.index() == 0 ? "the work was done\n" : "the timer was first\n");
    // end::cancel[]
    co_await pool.join();
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        asio::io_context context;
        auto done = asio::co_spawn(context, run(), asio::use_future);
        context.run();
        done.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
