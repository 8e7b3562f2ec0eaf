// SPDX-License-Identifier: BSL-1.0
// The program on the first page: a coroutine that awaits a map on worker processes.
// tag::readme[]
#include <twat/mp/async_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>
#include <vector>

namespace asio = boost::asio;
namespace mp = twat::mp;

long fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

asio::awaitable<void> run()
{
    mp::async_multi_pool pool(co_await asio::this_coro::executor); // a worker process for each CPU
    std::vector<int> inputs{20, 21, 22, 23};
    std::vector<long> results = co_await pool.map(fibonacci, inputs);
    for (long x : results)
        std::cout << x << '\n';
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv); // the workers are this program, started again
    asio::io_context context;
    asio::co_spawn(context, run(), [](std::exception_ptr e) { if (e) std::rethrow_exception(e); });
    context.run();
}
// end::readme[]
