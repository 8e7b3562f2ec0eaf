// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/async_pool.hpp>

#include <twat/mp/worker.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

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
