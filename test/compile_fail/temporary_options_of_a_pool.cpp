// SPDX-License-Identifier: BSL-1.0
// expect: give the options a name first
// only: g++ before 13
#include <twat/mp/async_pool.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace mp = twat::mp;
namespace asio = boost::asio;

// Nothing is awaited beside these.
void use(asio::io_context& context, asio::any_io_executor executor)
{
    mp::async_multi_pool of_context(context, {.nodes = 2});
    mp::async_multi_pool of_its_executor(context.get_executor(), {.nodes = 2});
    mp::async_multi_pool of_executor(executor, {.nodes = 2});
    mp::async_multi_pool of_number(executor, 2);
}

asio::awaitable<void> use()
{
    mp::pool_options options{.nodes = 2};
    mp::async_multi_pool of_number(co_await asio::this_coro::executor, 2);
    mp::async_multi_pool of_defaults(co_await asio::this_coro::executor);
#ifdef TWAT_MP_CONTROL
    mp::async_multi_pool pool(co_await asio::this_coro::executor, options);
#else
    mp::async_multi_pool pool(co_await asio::this_coro::executor, {.nodes = 2});
#endif
}
