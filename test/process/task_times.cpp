// SPDX-License-Identifier: BSL-1.0
// How long tasks ran, and how long they still have, where the pool's loop is away or the call is nested.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/error.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace {

constexpr auto nap = 20ms;

int plain(int i)
{
    std::this_thread::sleep_for(nap);
    return i;
}

asio::awaitable<int> coroutine(int i)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, nap);
    co_await timer.async_wait(asio::use_awaitable);
    co_return i;
}

/// Runs `f` in a pool whose loop is away most of the time, and returns what its traces told.
template <class Pool, class F>
std::vector<trace_event> traced(F f, pool_stats& stats)
{
    std::vector<trace_event> ended;
    io_context_fixture loop;
    pool_options options;
    options.nodes = 2;
    options.on_trace = [&](const trace_event& e) {
        if (e.what == trace_event::chunk_ended)
            ended.push_back(e);
    };
    Pool pool(loop.ctx, options);
    loop.run_coro([&]() -> asio::awaitable<void> {
        co_await pool.start();
        asio::post(loop.ctx, [] { std::this_thread::sleep_for(6 * nap); });
        const std::vector<int> inputs{1, 2, 3, 4, 5, 6, 7, 8};
        co_await pool.with({.chunk_size = 1}).map(f, inputs);
    });
    stats = pool.stats();
    return ended;
}

template <class Pool>
void check_times()
{
    const auto check = [](auto f) {
        pool_stats stats;
        const auto ended = traced<Pool>(f, stats);
        std::size_t tasks = 0;
        for (const trace_event& e : ended) {
            tasks += e.count;
            BOOST_TEST(e.took.count() >= static_cast<std::int64_t>(e.count) * std::chrono::nanoseconds(nap).count());
        }
        BOOST_TEST(tasks == 8u);
        BOOST_TEST(stats.run_time.count() == 8u);
        BOOST_TEST(stats.run_time.count_up_to(nap / 2) == 0u);
        BOOST_TEST(stats.queue_wait.count() == 1u);
    };
    check(plain);
    check(coroutine);
}

std::int64_t left() { return this_task::remaining().count(); }
std::int64_t plain_left(int) { return left(); }
asio::awaitable<std::int64_t> late_left(int)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return left();
}

template <class Inner>
std::int64_t nested_left(int)
{
    Inner inner(1);
    return inner.apply(plain_left, 0);
}

/// An awaited call in a coroutine task, with a deadline of its own that is longer.
template <class Inner>
asio::awaitable<std::int64_t> awaited_left(int)
{
    Inner inner(co_await asio::this_coro::executor, 1);
    co_return co_await inner.with({.deadline = 20h}).apply(late_left, 0);
}

template <class Inner>
int nested_sleep(int)
{
    Inner inner(1);
    try {
        inner.apply(
            [](int) {
                std::this_thread::sleep_for(100ms);
                return 0;
            },
            0);
        return 0;
    }
    catch (const error& e) {
        return e.code().value();
    }
}

template <class Pool>
void check_left(bool by_timeout)
{
    Pool pool(1);
    call_options options;
    (by_timeout ? options.timeout : options.deadline) = 2h;
    (by_timeout ? options.deadline : options.timeout) = 5h;
    const auto handle = pool.with(options);
    const auto check = [&](const char* what, std::int64_t nanoseconds) {
        BOOST_TEST_CONTEXT(what) { BOOST_TEST((duration(nanoseconds) > 1h && duration(nanoseconds) <= 2h)); }
    };
    check("a plain task", handle.apply(plain_left, 0));
    check("a coroutine", handle.apply(late_left, 0));
    check("threads in a task", handle.apply(nested_left<thread_pool>, 0));
    check("processes in a task", handle.apply(nested_left<process_pool>, 0));
    check("threads awaited", handle.apply(awaited_left<async_thread_pool>, 0));
    check("processes awaited", handle.apply(awaited_left<async_multi_pool>, 0));
    BOOST_TEST((duration(pool.apply(late_left, 0)) == duration::max()));
    BOOST_TEST((duration(pool.apply(nested_left<thread_pool>, 0)) == duration::max()));
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_task_times)

BOOST_AUTO_TEST_CASE(processes_are_never_told_to_be_shorter_than_they_were) { check_times<async_multi_pool>(); }
BOOST_AUTO_TEST_CASE(threads_are_never_told_to_be_shorter_than_they_were) { check_times<async_thread_pool>(); }

BOOST_DATA_TEST_CASE(what_is_left_in_processes_is_known_to_coroutines_and_nested_calls, bdata::make({true, false}),
                     by_timeout)
{
    check_left<process_pool>(by_timeout);
}

BOOST_DATA_TEST_CASE(what_is_left_in_threads_is_known_to_coroutines_and_nested_calls, bdata::make({true, false}),
                     by_timeout)
{
    check_left<thread_pool>(by_timeout);
}

BOOST_AUTO_TEST_CASE(a_nested_call_ends_with_the_time_of_its_task)
{
    thread_pool pool(1);
    const int expected = static_cast<int>(errc::deadline_exceeded);
    // does not hang
    BOOST_TEST(pool.with({.timeout = 20ms}).try_map(nested_sleep<process_pool>, std::vector{0}).size() == 1u);
    process_pool processes(1);
    BOOST_TEST(processes.with({.deadline = 10s})
                   .apply(
                       [](int) {
                           thread_pool outer(1);
                           try {
                               outer.with({.deadline = 50ms}).apply(nested_sleep<process_pool>, 0);
                               return 0;
                           }
                           catch (const error& e) {
                               return e.code().value();
                           }
                       },
                       0) == expected);
}

BOOST_AUTO_TEST_SUITE_END()
