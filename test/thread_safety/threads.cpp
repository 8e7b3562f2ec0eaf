// SPDX-License-Identifier: BSL-1.0
// Thread pools under everything at once. Means most under a thread sanitizer.
#include <twat/mp/error.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

std::vector<int> numbers(int count)
{
    std::vector<int> made(count);
    std::iota(made.begin(), made.end(), 0);
    return made;
}

int sum(const std::vector<int>& values) { return std::accumulate(values.begin(), values.end(), 0); }

void wait_for_stop()
{
    while (!this_task::stop_token().stop_requested())
        std::this_thread::yield();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_threads)

BOOST_AUTO_TEST_CASE(all_verbs_from_many_threads)
{
    thread_pool pool(3);
    const auto inputs = numbers(60);
    const int expected = sum(inputs);
    std::atomic<int> right = 0;
    auto same = [](int x) { return x; };
    auto same_later = [](int x) -> asio::awaitable<int> {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        co_return x;
    };
    auto nested = [&](int x) { return x < 5 ? static_cast<int>(pool.map(same, numbers(x)).size()) : x; };
    {
        std::vector<std::jthread> callers;
        for (int t = 0; t < 5; ++t)
            callers.emplace_back([&, t] {
                for (int i = 0; i < 15; ++i) {
                    switch ((i + t) % 6) {
                    case 0: right += sum(pool.map(same, inputs)) == expected; break;
                    case 1: right += sum(pool.map(same_later, inputs)) == expected; break;
                    case 2: right += sum(pool.map(nested, inputs)) == expected; break;
                    case 3: right += sum(pool.amap(same, inputs).get()) == expected; break;
                    case 4: {
                        int seen = 0;
                        for (int x : pool.uimap(same, inputs))
                            seen += x;
                        right += seen == expected;
                        break;
                    }
                    case 5: {
                        int seen = 0;
                        for ([[maybe_unused]] int x : pool.imap(nested, inputs))
                            if (++seen == 10)
                                break; // the rest is dropped
                        right += seen == 10;
                        break;
                    }
                    }
                }
            });
    }
    BOOST_TEST(right == 75);
}

// Whoever waits may run the pool, and hands it on. A call that nobody runs would hang here.
BOOST_AUTO_TEST_CASE(somebody_runs_the_pool_whoever_waits)
{
    std::atomic<int> right = 0;
    auto twice = [](int x) { return 2 * x; };
    for (int round = 0; round < 10; ++round) {
        thread_pool pool(2);
        {
            std::vector<std::jthread> callers;
            for (int t = 0; t < 4; ++t)
                callers.emplace_back([&, t] {
                    for (int i = 0; i < 100; ++i) {
                        if ((i + t) % 5 == 0) {
                            auto later = pool.submit(twice, i);
                            if (i % 2 == 0)
                                std::this_thread::sleep_for(50us);
                            right += later.get() == 2 * i;
                        } else if ((i + t) % 7 == 0) {
                            int seen = 0;
                            for (int x : pool.imap(twice, numbers(20)))
                                if (seen += x == 2 * seen; seen == 10 + i % 20)
                                    break; // the rest is dropped
                            right += seen == std::min(20, 10 + i % 20);
                        } else {
                            right += pool.apply(twice, i) == 2 * i;
                        }
                    }
                });
        }
        static_cast<void>(pool.submit(twice, round)); // nobody waits for this one
    }
    BOOST_TEST(right == 4000);
}

BOOST_AUTO_TEST_CASE(deep_nesting)
{
    thread_pool pool(2);
    struct tree
    {
        thread_pool& pool;
        int operator()(int depth) const
        {
            if (depth == 0)
                return 1;
            return sum(pool.map(*this, std::vector<int>(3, depth - 1)));
        }
    };
    BOOST_TEST(pool.apply(tree{pool}, 5) == 243);
}

BOOST_AUTO_TEST_CASE(pools_that_end_while_they_are_used)
{
    for (int round = 0; round < 20; ++round) {
        std::optional<thread_pool> pool(std::in_place, 2);
        std::vector<std::future<void>> waiting;
        for (int i = 0; i < 6; ++i)
            waiting.push_back(pool->submit(wait_for_stop));
        std::jthread other([handle = pool->with({})] {
            try {
                for (;;)
                    handle.apply([] {});
            }
            catch (const boost::system::system_error&) {
                // It ended.
            }
        });
        if (round % 3 != 0)
            std::this_thread::yield();
        pool->terminate();
        pool.reset();
        for (auto& one : waiting)
            BOOST_CHECK_THROW(one.get(), boost::system::system_error);
    }
}

BOOST_AUTO_TEST_CASE(time_limits)
{
    thread_pool pool(2);
    auto f = [](int x) {
        if (x % 4 == 0)
            wait_for_stop();
        return x;
    };
    const auto results = pool.with({.timeout = 20ms}).try_map(f, numbers(12));
    BOOST_REQUIRE(results.size() == 12u);
    for (int i = 0; i < 12; ++i)
        if (i % 4 == 0)
            BOOST_TEST(results[i].has_error());
    BOOST_CHECK_EXCEPTION(pool.with({.deadline = 20ms}).map(f, numbers(100)), error,
                          [](const error& e) { return e.code() == errc::deadline_exceeded; });
}

BOOST_AUTO_TEST_CASE(workers_that_are_recycled)
{
    std::atomic<int> begun = 0, over = 0;
    pool_options options;
    options.nodes = 2;
    options.max_tasks_per_child = 3;
    options.initializer = task([&] { ++begun; });
    options.finalizer = task([&] { ++over; });
    {
        thread_pool pool(options);
        BOOST_TEST(sum(pool.map([](int x) { return x; }, numbers(60))) == 59 * 30);
    }
    BOOST_TEST(begun >= 20);
    BOOST_TEST(over == begun);
}

BOOST_AUTO_TEST_SUITE_END()
