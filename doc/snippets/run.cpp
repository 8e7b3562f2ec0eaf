// SPDX-License-Identifier: BSL-1.0
// A program whose main is a coroutine.
#include <twat/mp.hpp>

namespace asio = boost::asio;
namespace mp = twat::mp;

asio::awaitable<int> program();

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    return mp::run(program());
}

int half(int x) { return x / 2; }

asio::awaitable<int> program()
{
    mp::async_multi_pool pool(co_await asio::this_coro::executor, 1);
    co_return co_await pool.apply(half, 14) == 7 ? 0 : 1;
}
