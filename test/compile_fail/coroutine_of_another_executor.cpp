// SPDX-License-Identifier: BSL-1.0
// expect: a task that is a coroutine returns asio::awaitable<T>, with its default executor
#include <twat/mp/multi_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <vector>

namespace asio = boost::asio;

#ifdef TWAT_MP_CONTROL
asio::awaitable<void> visit(int) { co_return; }
#else
asio::awaitable<void, asio::io_context::executor_type> visit(int) { co_return; }
#endif

void use(twat::mp::thread_pool& pool, const std::vector<int>& xs) { pool.for_each(visit, xs); }
