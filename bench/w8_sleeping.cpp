// SPDX-License-Identifier: BSL-1.0
// W8: thousands of coroutine tasks that wait for a timer. How full a pool keeps workers that run many at once.
#include <twat/mp/async_pool.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>
#include <vector>

#include "families.hpp"
#include "run_coroutine.hpp"
#include "shapes.hpp"

namespace bench {

namespace mp = twat::mp;

namespace {

constexpr std::size_t workers = 4;
constexpr std::size_t at_once = 64;
constexpr std::chrono::milliseconds nap{50};

asio::awaitable<std::int64_t> sleep_and_increment(std::int64_t x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, nap);
    co_await timer.async_wait(asio::use_awaitable);
    co_return x + 1;
}

std::size_t tasks(const effort& how) { return how.of(3200, 640); }

/// A time as a multiple of the one in which every place is taken all the time.
double of_ideal(const effort& how, double time)
{
    const double rounds = static_cast<double>(tasks(how)) / (workers * at_once);
    return time / (rounds * seconds(nap));
}

measured one_loop(const effort& how)
{
    asio::io_context context(1);
    std::size_t left = tasks(how);
    auto place = [&]() -> asio::awaitable<void> {
        while (left > 0) {
            --left;
            co_await sleep_and_increment(0);
        }
    };
    const double time = time_of([&] {
        for (std::size_t i = 0; i < workers * at_once; ++i)
            asio::co_spawn(context, place(), asio::detached);
        context.run();
    });
    return {of_ideal(how, time), {}};
}

struct times
{
    double start = 0;
    double map = 0;
};

template <class Pool>
times run(const effort& how)
{
    times took;
    const auto in = numbers(tasks(how));
    asio::io_context context(1);
    auto body = [&]() -> asio::awaitable<void> {
        mp::pool_options options;
        options.nodes = workers;
        options.child_concurrency = at_once;
        const auto begin = clock::now();
        Pool pool(context, options);
        co_await pool.start();
        took.start = seconds_since(begin);
        const auto started = clock::now();
        const std::vector<std::int64_t> out = co_await pool.map(sleep_and_increment, in);
        took.map = seconds_since(started);
        check(in, out, increment);
    };
    run_coroutine(context, body());
    return took;
}

} // namespace

void add_w8(registry& rows)
{
    const auto started = [](times t) { return t.map; };
    const auto from_nothing = [](times t) { return t.start + t.map; };
    const auto row_of = [](times (*run)(const effort&), double (*part)(times)) {
        return [=](const effort& how) { return measured{of_ideal(how, part(run(how))), {}}; };
    };
    rows.add({"w8", "one loop, 256 coroutines", role::floor, one_loop});
    rows.add({"w8", "async_multi_pool", role::ours, row_of(run<mp::async_multi_pool>, started), "", 1.07});
    rows.add({"w8", "async_thread_pool", role::ours, row_of(run<mp::async_thread_pool>, started), "", 1.07});
    rows.add({"w8-start", "async_multi_pool", role::ours, row_of(run<mp::async_multi_pool>, from_nothing), "", 1.09});
    rows.add({"w8-start", "async_thread_pool", role::ours, row_of(run<mp::async_thread_pool>, from_nothing), "", 1.09});
}

} // namespace bench
