// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/async_pool.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "async_pool_includes.hpp"
#include "thread_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
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
        } catch (const boost::system::system_error& e) {
            told.push_back(e.code());
        }
    };
    pool->start(note);
    pool->join(note);
    pool.reset();
    ctx.run();
    const std::vector<boost::system::error_code> expected(2, asio::error::operation_aborted);
    BOOST_TEST((told == expected));
}

BOOST_AUTO_TEST_SUITE_END()
