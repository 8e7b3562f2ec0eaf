// SPDX-License-Identifier: BSL-1.0
// expect: a stream has many results and cannot be awaited itself; use co_await stream.next()
#include <twat/mp/async_pool.hpp>

#include <vector>

boost::asio::awaitable<void> use(twat::mp::async_thread_pool& pool, const std::vector<int>& numbers)
{
    auto stream = pool.imap([](int x) { return x; }, numbers);
#ifdef TWAT_MP_CONTROL
    co_await stream.next();
#else
    co_await stream;
#endif
}
