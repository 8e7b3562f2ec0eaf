// SPDX-License-Identifier: BSL-1.0
// expect: with_pool takes no temporary pool_options
// only: g++ before 13
#include <twat/mp/with_pool.hpp>

boost::asio::awaitable<void> use()
{
    auto body = [](twat::mp::async_thread_pool&) -> boost::asio::awaitable<void> { co_return; };
    twat::mp::pool_options options;
#ifdef TWAT_MP_CONTROL
    co_await twat::mp::with_pool(options, body);
#else
    co_await twat::mp::with_pool({.nodes = 2}, body);
#endif
}
