// SPDX-License-Identifier: BSL-1.0
// An operation with other completion tokens than the default one, which makes it awaitable: a callback, a future, a
// tuple.
#include <twat/mp.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

namespace asio = boost::asio;
namespace mp = twat::mp;

int half(int x)
{
    if (x % 2 != 0)
        throw std::domain_error(std::to_string(x) + " is odd");
    return x / 2;
}

asio::awaitable<void> errors_as_values(mp::async_multi_pool& pool)
{
    const auto [error, value] = co_await pool.apply(half, 7, asio::as_tuple(asio::use_awaitable));
    std::cout << "as_tuple: " << (error ? "an error\n" : "a value\n");
}

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    try {
        asio::io_context context;
        mp::async_multi_pool pool(context, 1);

        pool.apply(half, 10, [](std::exception_ptr error, int value) {
            std::cout << "callback: " << (error ? -1 : value) << '\n';
        });
        context.run(); // returns when no operation is outstanding; after restart() it may be called again

        auto future = pool.apply(half, 20, asio::use_future);
        context.restart();
        context.run();
        std::cout << "future: " << future.get() << '\n';

        auto done = asio::co_spawn(context, errors_as_values(pool), asio::use_future);
        context.restart();
        context.run();
        done.get();
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
