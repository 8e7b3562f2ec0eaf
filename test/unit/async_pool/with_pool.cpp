// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/with_pool.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

namespace {

int twice(int x) { return 2 * x; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_with_pool)

BOOST_FIXTURE_TEST_CASE(what_the_body_returns_is_the_result, io_context_fixture)
{
    pool_options options;
    options.nodes = 2;
    run_coro([&]() -> asio::awaitable<void> {
        auto body = [](async_thread_pool& pool) -> asio::awaitable<std::unique_ptr<int>> {
            const int result = co_await pool.apply(twice, static_cast<int>(pool.nodes()));
            co_return std::make_unique<int>(result);
        };
        const auto result = co_await with_pool(options, body);
        BOOST_TEST(*result == 4);
        auto generic = [](auto& pool) -> asio::awaitable<void> { co_await pool.start(); };
        co_await with_pool<thread_workers>(options, generic);
        co_await with_pool<thread_workers>(2, generic);
    });
}

BOOST_FIXTURE_TEST_CASE(tasks_are_waited_for_when_the_body_returns, io_context_fixture)
{
    pool_options options;
    options.nodes = 1;
    int completed = 0;
    run_coro([&]() -> asio::awaitable<void> {
        auto body = [&](async_thread_pool& pool) -> asio::awaitable<void> {
            for (int i = 0; i < 10; ++i)
                pool.apply(twice, i, [&](std::exception_ptr error, int) { completed += !error; });
            co_return;
        };
        co_await with_pool(options, body);
    });
    BOOST_TEST(completed == 10);
}

BOOST_FIXTURE_TEST_CASE(what_the_body_throws_passes_on_behind_the_end_of_the_pool, io_context_fixture)
{
    pool_options options;
    options.nodes = 1;
    run_coro([&]() -> asio::awaitable<void> {
        auto body = [](async_thread_pool& pool) -> asio::awaitable<int> {
            co_await pool.start();
            throw std::domain_error("body");
        };
        BOOST_CHECK_THROW(co_await with_pool(options, body), std::domain_error);
    });
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_body_ends_its_pool_too, io_context_fixture)
{
    pool_options options;
    options.nodes = 1;
    asio::cancellation_signal signal;
    std::exception_ptr error;
    auto program = [&]() -> asio::awaitable<void> {
        auto body = [&](async_thread_pool& pool) -> asio::awaitable<void> {
            co_await pool.start();
            asio::post(ctx, [&] { signal.emit(asio::cancellation_type::terminal); });
            asio::steady_timer timer(ctx, asio::steady_timer::time_point::max());
            co_await timer.async_wait(asio::use_awaitable);
        };
        co_await with_pool(options, body);
    };
    asio::co_spawn(ctx, program(),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { error = e; }));
    run();
    BOOST_TEST_REQUIRE(!!error);
    BOOST_CHECK_THROW(std::rethrow_exception(error), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
