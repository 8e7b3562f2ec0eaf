// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <utility>

#include "peers.hpp"
#include "run_coroutine.hpp"
#include "shapes.hpp"
#include "ticker.hpp"

namespace bench {

namespace {

asio::awaitable<std::int64_t> increment_there(std::int64_t x) { co_return increment(x); }

measured post_and_future(const effort& how)
{
    asio::thread_pool pool(2);
    return round_trips(how, [&](std::int64_t i) {
        std::promise<std::int64_t> promise;
        auto future = promise.get_future();
        asio::post(pool, [promise = std::move(promise), i]() mutable { promise.set_value(increment(i)); });
        return future.get();
    });
}

/// From a coroutine on a loop to the pool and back.
measured awaited_calls(const effort& how)
{
    asio::thread_pool pool(2);
    asio::io_context context(1);
    measured found;
    auto call = [&](std::int64_t i) {
        return asio::co_spawn(pool.get_executor(), increment_there(i), asio::use_awaitable);
    };
    auto body = [&]() -> asio::awaitable<void> { found = co_await awaited_round_trips(how, call); };
    run_coroutine(context, body());
    return found;
}

/// Posts one function for each `chunk` elements and waits for all.
std::vector<std::int64_t> map(asio::thread_pool& pool, const std::vector<std::int64_t>& in, std::size_t chunk,
                              std::int64_t (*f)(std::int64_t))
{
    std::vector<std::int64_t> out(in.size());
    // The latch is shared: the last one to count down may still be in it when the waiter goes on.
    const auto left = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>((in.size() + chunk - 1) / chunk));
    for (std::size_t begin = 0; begin < in.size(); begin += chunk) {
        asio::post(pool, [&in, &out, f, chunk, begin, left] {
            const std::size_t end = std::min(in.size(), begin + chunk);
            for (std::size_t i = begin; i < end; ++i)
                out[i] = f(in[i]);
            left->count_down();
        });
    }
    left->wait();
    return out;
}

measured sixteen_posts(const effort& how)
{
    asio::thread_pool pool(2);
    return doubles(how, 1'000'000, 1e9,
                   [&](const std::vector<std::int64_t>& in) { return map(pool, in, in.size() / 16, twice); });
}

measured a_post_a_double(const effort& how)
{
    asio::thread_pool pool(2);
    return doubles(how, 100'000, 1e6, [&](const std::vector<std::int64_t>& in) { return map(pool, in, 1, twice); });
}

measured a_post_a_task(const effort& how, std::size_t count, std::int64_t (*task)(std::int64_t))
{
    asio::thread_pool pool(2);
    return efficiency(how, count, task, [&](const std::vector<std::int64_t>& in) { return map(pool, in, 1, task); });
}

/// The pool's threads always have work, in pieces of about 2 ms, and the loop does nothing for it.
measured loop_latency(const effort& how)
{
    asio::thread_pool pool(2);
    asio::io_context context(1);
    std::atomic<bool> enough = false;
    std::function<void()> piece = [&] {
        for (std::int64_t i = 0; i < 500; ++i) {
            volatile std::int64_t result = equal_task(i);
            static_cast<void>(result);
        }
        if (!enough)
            asio::post(pool, piece);
    };
    for (int i = 0; i < 6; ++i)
        asio::post(pool, piece);
    const measured m = lateness(how, context, [](auto) -> asio::awaitable<void> { co_return; });
    enough = true;
    pool.join();
    return m;
}

} // namespace

void add_asio_thread_pool(registry& rows)
{
    const std::string a_post_a_task_name = "asio::thread_pool, a post a task";
    rows.add({"w1", "asio::thread_pool, post and future", role::peer, post_and_future});
    rows.add({"w1", "asio::thread_pool, co_await", role::peer, awaited_calls});
    rows.add({"w2", "asio::thread_pool, 16 posts", role::peer, sixteen_posts});
    rows.add({"w2-chunk-1", a_post_a_task_name, role::peer, a_post_a_double});
    rows.add({"w3", a_post_a_task_name, role::peer,
              [](const effort& how) { return a_post_a_task(how, 10'000, equal_task); }});
    rows.add({"w4", a_post_a_task_name, role::peer,
              [](const effort& how) { return a_post_a_task(how, 1000, unequal_task); }});
    rows.add({"w9", "asio::thread_pool", role::peer, loop_latency});
}

} // namespace bench
