// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/async_pool.hpp>

#include <twat/mp/worker.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <ranges>
#include <thread>

#include "async_pool_includes.hpp"
#include "thread_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

BOOST_AUTO_TEST_SUITE(test_async_thread_pool)

using pool_fixtures = boost::mp11::mp_list<thread_fixture>;
#include "async_pool_cases.hpp"

// g++ 12 destroys an owning default argument twice in such an expression.
BOOST_FIXTURE_TEST_CASE(can_be_made_of_an_awaited_executor, io_context_fixture)
{
    run_coro([]() -> asio::awaitable<void> {
        async_thread_pool pool(co_await asio::this_coro::executor);
        const int result = co_await pool.apply([](int x) { return x + 1; }, 1);
        BOOST_TEST(result == 2);
    });
}

BOOST_FIXTURE_TEST_CASE(waits_that_outlive_the_pool_are_aborted, io_context_fixture)
{
    auto pool = std::make_unique<async_thread_pool>(ctx, 1);
    std::vector<boost::system::error_code> told;
    const auto note = [&](std::exception_ptr error) {
        try {
            if (error)
                std::rethrow_exception(error);
            told.emplace_back();
        }
        catch (const boost::system::system_error& e) {
            told.push_back(e.code());
        }
    };
    pool->start(note);
    pool->join(note);
    pool->drain(1h, [&](std::exception_ptr error, drain_report) { note(error); });
    pool.reset();
    ctx.run();
    const std::vector<boost::system::error_code> expected(3, asio::error::operation_aborted);
    BOOST_TEST((told == expected));
}

/// Outcomes of a pool that look at its counters at once, in another thread, while a range holds up the pool behind them.
struct counters_fixture : io_context_fixture
{
    async_thread_pool pool{ctx, 1};
    asio::thread_pool elsewhere{1};
    std::promise<pool_stats> seen;
    std::shared_future<pool_stats> counters = seen.get_future().share();
    // The range is not read before the task has ended.
    call_handle<thread_workers> one_at_a_time = pool.with({.tenant = {1}});

    counters_fixture() { pool.set_tenant({1}, {.max_running = 1}); }

    auto look()
    {
        return asio::bind_executor(elsewhere.get_executor(),
                                   [this](std::exception_ptr, auto) { seen.set_value(pool.stats()); });
    }

    void hold_up()
    {
        auto range = std::views::iota(0, 1) | std::views::transform([this](int x) {
                         counters.wait_for(60s);
                         return x;
                     });
        one_at_a_time.map([](int x) { return x; }, range, asio::detached);
        run();
        BOOST_TEST_REQUIRE((counters.wait_for(0s) == std::future_status::ready));
    }
};

BOOST_FIXTURE_TEST_CASE(a_result_counts_before_it_is_handed_over, counters_fixture)
{
    one_at_a_time.apply([](int x) { return x; }, 1, look());
    hold_up();
    BOOST_TEST(counters.get().done == 1u);
    BOOST_TEST(counters.get().running == 0u);
    BOOST_TEST(counters.get().busy == 0u);
    BOOST_TEST(counters.get().pending == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_failure_counts_before_it_is_handed_over, counters_fixture)
{
    one_at_a_time.apply([](int x) -> int { throw x; }, 1, look());
    hold_up();
    BOOST_TEST(counters.get().failed == 1u);
    BOOST_TEST(counters.get().busy == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_element_of_a_stream_counts_before_it_is_read, counters_fixture)
{
    auto stream = one_at_a_time.imap([](int x) { return x; }, std::views::iota(0, 1));
    stream.next(look());
    hold_up();
    BOOST_TEST(counters.get().done == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_progress_callback_finds_its_tasks_in_the_counters, io_context_fixture)
{
    async_thread_pool pool(ctx, 2);
    std::size_t too_few = 0, calls = 0;
    const auto compare = [&](const progress& now) {
        ++calls;
        too_few += pool.stats().done < now.done;
    };
    pool.with({}).on_progress(compare).map([](int x) { return x; }, std::views::iota(0, 1000), asio::detached);
    run();
    BOOST_TEST(calls != 0u);
    BOOST_TEST(too_few == 0u);
}

// A thread cannot be killed: it is asked to stop, and the end of the drain waits for it.
BOOST_FIXTURE_TEST_CASE(a_drain_asks_tasks_to_stop_when_its_time_is_up, io_context_fixture)
{
    async_thread_pool pool(ctx, 1);
    boost::system::error_code told;
    pool.apply(
        [] {
            while (!this_task::stop_token().stop_requested())
                std::this_thread::yield();
        },
        [&](std::exception_ptr error) {
            try {
                std::rethrow_exception(error);
            }
            catch (const boost::system::system_error& e) {
                told = e.code();
            }
        });
    drain_report report;
    pool.drain(50ms, [&](std::exception_ptr, drain_report r) { report = r; });
    run();
    BOOST_TEST((told == errc::pool_terminated));
    BOOST_TEST(!report.in_time);
    BOOST_TEST(report.terminated == 1u);
    BOOST_TEST((report.took >= 50ms));
}

BOOST_AUTO_TEST_SUITE_END()
