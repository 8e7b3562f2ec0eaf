// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>
#include <stdexcept>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/run.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;

namespace {

bool is_closed(const error& e) { return e.code() == errc::pool_closed; }

asio::awaitable<int> answer() { co_return 42; }
asio::awaitable<std::unique_ptr<int>> boxed() { co_return std::make_unique<int>(7); }
asio::awaitable<void> fail()
{
    throw std::domain_error("failed");
    co_return;
}

asio::awaitable<int> use_pool()
{
    async_process_pool pool(co_await asio::this_coro::executor, 1);
    const int result = co_await pool.apply(twice, 21);
    co_await pool.join();
    co_return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_restart)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_begins_anew, Pool, blocking_pools)
{
    pool_options options;
    options.nodes = 1;
    Pool pool(options);
    const auto handle = pool.with({});
    BOOST_TEST(pool.apply(twice, 1) == 2);
    pool.close();
    BOOST_CHECK_EXCEPTION(pool.apply(twice, 1), error, is_closed);
    pool.restart();
    BOOST_TEST(pool.apply(twice, 2) == 4);
    BOOST_TEST(pool.nodes() == 1u);
    BOOST_TEST(pool.stats().done <= 1u); // the first one's are forgotten; the snapshot may be taken after the answer
    BOOST_CHECK_EXCEPTION(handle.apply(twice, 1), error, is_closed);
    pool.terminate();
    pool.restart();
    BOOST_TEST(pool.apply(twice, 3) == 6);
    pool.join();
    pool.restart();
    pool.restart(); // of a running one
    BOOST_TEST(pool.apply(twice, 4) == 8);
}

BOOST_AUTO_TEST_CASE(a_task_cannot_restart_its_pool)
{
    thread_pool pool(1);
    BOOST_CHECK_EXCEPTION(pool.apply([&] { pool.restart(); }), error,
                          [](const error& e) { return e.code() == errc::would_deadlock; });
    BOOST_TEST(pool.apply(twice, 1) == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_awaitable_pool_begins_anew, Pool, awaitable_pools)
{
    io_context_fixture loop;
    Pool pool(loop.ctx, 1);
    loop.run_coro([&]() -> asio::awaitable<void> {
        BOOST_TEST((co_await pool.apply(twice, 1)) == 2);
        co_await pool.join();
        pool.restart();
        BOOST_TEST((co_await pool.apply(twice, 2)) == 4);
    });
    bool aborted = false;
    pool.apply(until_stopped, 1,
               [&](std::exception_ptr error, int) { aborted = code_of(error) == asio::error::operation_aborted; });
    pool.restart();
    loop.run();
    BOOST_TEST(aborted);
    BOOST_TEST(pool.nodes() == 1u);
}

BOOST_AUTO_TEST_CASE(run_runs_a_coroutine_to_its_end)
{
    BOOST_TEST(run(answer()) == 42);
    BOOST_TEST(*run(boxed()) == 7);
    BOOST_CHECK_EXCEPTION(run(fail()), std::domain_error,
                          [](const auto& e) { return e.what() == std::string("failed"); });
    BOOST_TEST(run(use_pool()) == 42);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(progress_needs_no_options, Pool, blocking_pools)
{
    Pool pool(1);
    std::size_t done = 0;
    const auto count = [&](const progress& now) { done = now.done; };
    pool.on_progress(count).map(twice, numbers(5));
    BOOST_TEST(done == 5u);
}

BOOST_AUTO_TEST_SUITE_END()
