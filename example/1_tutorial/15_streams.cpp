// SPDX-License-Identifier: BSL-1.0
// A stream delivers results one by one and never holds more than its window, so the input may even be endless.
#include <twat/mp.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <iostream>
#include <ranges>

namespace asio = boost::asio;
namespace mp = twat::mp;

bool is_prime(int n)
{
    for (int d = 2; d * d <= n; ++d) {
        if (n % d == 0)
            return false;
    }
    return n > 1;
}

// tag::stream[]
asio::awaitable<void> first_primes_from(int start, int count)
{
    mp::async_multi_pool pool(co_await asio::this_coro::executor);
    auto stream = pool.imap(is_prime, std::views::iota(start));
    while (count > 0) {
        const auto prime = co_await stream.next(); // an empty optional would be the end
        if (*prime) {
            std::cout << start + static_cast<int>(stream.index()) << '\n';
            --count;
        }
    }
} // destroying the stream drops tasks that have not started, and cancels those that run
// end::stream[]

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        asio::io_context context;
        auto done = asio::co_spawn(context, first_primes_from(1'000'000, 3), asio::use_future);
        context.run();
        done.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
