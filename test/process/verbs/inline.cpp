// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/exception/get_error_info.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>

#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/run.hpp>
#include <twat/mp/verify.hpp>

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using inline_pools = boost::mp11::mp_list<inline_pool, inline_process_pool>;

int no_threes(int x) { return x == 3 ? throw std::domain_error("three") : x; }
asio::awaitable<int> later_twice(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return 2 * x;
}

/// Leaves behind on its loop what sets this.
std::atomic<int> left_behind_ran = 0;
asio::awaitable<int> leave_behind(int x)
{
    const auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(
        executor,
        []() -> asio::awaitable<void> {
            for (int i = 0; i < 100; ++i) // more turns than the task's own end takes
                co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            ++left_behind_ran;
            throw std::runtime_error("nobody hears it");
        },
        asio::detached);
    co_return x;
}

/// Waits for a timer of another loop, which another thread runs.
asio::awaitable<int> wait_elsewhere(asio::io_context* elsewhere, int x)
{
    asio::steady_timer timer(*elsewhere, std::chrono::microseconds(10));
    co_await timer.async_wait(asio::use_awaitable);
    co_return x;
}

int factor = 2; // a worker process has this one
int times_factor(int x) { return factor * x; }

int begun = 0, ended = 0;

struct lossy
{
    int kept = 0, lost = 0;
};

auto code_is(errc code)
{
    return [code](const error& e) { return e.code() == code; };
}

} // namespace

template <>
struct twat::mp::codec<lossy>
{
    static void encode(encoder& out, const lossy& value) { out.write(value.kept); }
    static lossy decode(decoder& in) { return {in.read<int>(), 0}; }
};

BOOST_AUTO_TEST_SUITE(test_inline_pool)

BOOST_AUTO_TEST_CASE_TEMPLATE(all_verbs_run_in_the_calling_thread, Pool, inline_pools)
{
    Pool pool;
    const auto inputs = numbers(10);
    const std::vector<int> doubled{0, 2, 4, 6, 8, 10, 12, 14, 16, 18};
    BOOST_TEST(pool.apply(twice, 4) == 8);
    BOOST_TEST(pool.map(twice, inputs) == doubled, per_element());
    BOOST_TEST(pool.map(later_twice, inputs) == doubled, per_element());
    BOOST_TEST(pool.starmap(std::plus<>(), std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}) ==
                   (std::vector<int>{3, 7}),
               per_element());
    BOOST_TEST(pool.amap(twice, inputs).get() == doubled, per_element());
    BOOST_TEST(pool.submit(twice, 4).get() == 8);
    BOOST_TEST(pool.reduce(twice, std::plus<>(), 0, inputs) == 90);
    BOOST_TEST(pool.filter([](int x) { return x > 7; }, inputs) == (std::vector<int>{8, 9}), per_element());
    BOOST_TEST(pool.map(twice, std::vector<int>()).empty());
    int sum = 0;
    for (int x : pool.imap(twice, std::views::iota(0, 1000)))
        sum += x;
    BOOST_TEST(sum == 999000);
    auto endless = pool.with({.window = 3}).uimap(twice, std::views::iota(0));
    BOOST_TEST(*endless.next() == 0);
    BOOST_TEST(*endless.next() == 2);
    BOOST_TEST(pool.apply([] { return this_worker::is_worker(); }));
    BOOST_TEST(!this_worker::is_worker());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failures_are_those_of_other_pools, Pool, inline_pools)
{
    Pool pool;
    const auto at_3 = [](const std::domain_error& e) {
        return e.what() == std::string("three") && task_index(std::current_exception()) == 3u;
    };
    BOOST_CHECK_EXCEPTION(pool.map(no_threes, numbers(10)), std::domain_error, at_3);
    BOOST_CHECK_EXCEPTION(pool.reduce(no_threes, std::plus<>(), 0, numbers(10)), std::domain_error, at_3);
    const auto tried = pool.try_map(no_threes, numbers(5));
    BOOST_TEST_REQUIRE(tried.size() == 5u);
    BOOST_TEST(*tried[4] == 4);
    BOOST_TEST(tried[3].has_error());
    auto results = pool.imap(no_threes, numbers(5));
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(*results.next() == i);
    BOOST_CHECK_EXCEPTION(results.next(), std::domain_error, at_3);
    BOOST_TEST(*results.next() == 4);
    BOOST_TEST(!results.next());
    BOOST_TEST(pool.stats().failed == 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_know_how_long_they_have, Pool, inline_pools)
{
    Pool pool;
    const auto left = [](int) { return this_task::remaining(); };
    BOOST_TEST((pool.apply(left, 0) == duration::max()));
    BOOST_TEST((pool.with({.timeout = 1h}).apply(left, 0) <= 1h));
    BOOST_TEST((pool.with({.deadline = 1h}).apply(left, 0) <= 1h));
    BOOST_TEST((pool.with({.timeout = 2h, .deadline = 1h}).apply(left, 0) <= 1h));
    BOOST_TEST((pool.with({.timeout = 1h, .deadline = 2h}).apply(left, 0) <= 1h));
    // Through nested pools.
    const auto nested = [](int) { return Pool().with({.timeout = 2h}).apply([] { return this_task::remaining(); }); };
    BOOST_TEST((pool.with({.deadline = 1h}).apply(nested, 0) <= 1h));
    BOOST_TEST((pool.with({.deadline = 1h}).apply(nested, 0) > duration::zero()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(limits_and_stops_count_between_tasks, Pool, inline_pools)
{
    Pool pool;
    const auto slow = [](int x) {
        std::this_thread::sleep_for(5ms);
        return x;
    };
    BOOST_CHECK_EXCEPTION(pool.with({.deadline = 20ms}).map(slow, numbers(1000)), error,
                          code_is(errc::deadline_exceeded));
    BOOST_CHECK_EXCEPTION(pool.with({.timeout = 1ms}).map(slow, numbers(3)), error, code_is(errc::task_timed_out));
    std::stop_source source;
    std::jthread stopper([&] {
        await_running_task(pool);
        source.request_stop();
    });
    BOOST_CHECK_EXCEPTION(pool.map(until_stopped, numbers(100), source.get_token()), boost::system::system_error,
                          is_aborted);
}

BOOST_AUTO_TEST_CASE(a_task_calls_its_own_pool)
{
    inline_pool pool;
    const auto caller = std::this_thread::get_id();
    BOOST_TEST(pool.apply([&] { return std::this_thread::get_id() == caller; }));
    const auto rows = pool.map([&](int n) { return pool.map(twice, numbers(n)).size(); }, numbers(4));
    BOOST_TEST(rows == (std::vector<std::size_t>{0, 1, 2, 3}), per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_coroutine_left_on_its_loop_may_end, Pool, inline_pools)
{
    Pool pool;
    left_behind_ran = 0;
    BOOST_TEST(pool.apply(leave_behind, 7) == 7);
    BOOST_TEST(left_behind_ran == 1);
}

// Who completes what a coroutine waits for may still be inside of the coroutine's loop when that has ended.
BOOST_AUTO_TEST_CASE(coroutines_wait_for_loops_of_other_threads)
{
    asio::io_context elsewhere;
    const auto work = asio::make_work_guard(elsewhere);
    std::jthread loop([&] { elsewhere.run(); });
    inline_pool pool;
    for (int i = 0; i < 2000; ++i)
        BOOST_REQUIRE(pool.apply(wait_elsewhere, &elsewhere, i) == i);
    for (int i = 0; i < 2000; ++i)
        BOOST_REQUIRE(run(wait_elsewhere(&elsewhere, i)) == i);
    elsewhere.stop();
}

BOOST_AUTO_TEST_CASE(initializer_and_finalizer_run_once)
{
    begun = ended = 0;
    pool_options options;
    options.initializer = task([] { ++begun; });
    options.finalizer = task([] { ++ended; });
    {
        inline_process_pool pool(options);
        BOOST_TEST(begun == 0);
        pool.apply(twice, 1);
        pool.apply(twice, 1);
        BOOST_TEST(begun == 1);
        pool.close();
        BOOST_CHECK_EXCEPTION(pool.apply(twice, 1), error, code_is(errc::pool_closed));
        BOOST_TEST(ended == 0);
    }
    BOOST_TEST(ended == 1);
    options.initializer = task([] { throw std::runtime_error("no"); });
    inline_pool failing(options);
    BOOST_CHECK_EXCEPTION(failing.start(), error, code_is(errc::initializer_failed));
    BOOST_CHECK_EXCEPTION(failing.apply(twice, 1), error, code_is(errc::initializer_failed));
    options.child_concurrency = 0;
    BOOST_CHECK_THROW(inline_pool{options}, std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(verify_finds_what_depends_on_the_backend)
{
    process_pool pool(1);
    const auto sample = numbers(5);
    BOOST_TEST(!verify(pool, twice, sample));
    BOOST_TEST(!verify(pool, no_threes, sample));
    factor = 3; // what main does before
    BOOST_TEST((verify(pool, times_factor, sample) == 1u));
    factor = 2;
    BOOST_TEST(!verify(pool, times_factor, sample));
    thread_pool threads(2);
    // The codec of its argument loses a member.
    const std::vector<lossy> values{{1, 0}, {1, 1}};
    BOOST_TEST((verify(
                    threads, [](const lossy& value) { return value.kept + value.lost; }, values) == 1u));
}

BOOST_AUTO_TEST_SUITE_END()
