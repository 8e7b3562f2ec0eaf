// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <algorithm>
#include <future>

#include <twat/mp/error.hpp>

using namespace twat::mp;
using namespace twat::mp::test;

namespace {

/// Requests a stop once a task of the pool runs.
template <class Pool>
std::jthread stopping_once_it_runs(const Pool& pool, std::stop_source& source)
{
    return std::jthread([&pool, &source] {
        await_running_task(pool);
        source.request_stop();
    });
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_stop_token)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stop_ends_a_call_that_waits, Pool, blocking_pools)
{
    Pool pool(2);
    const auto inputs = numbers(20);
    const std::vector<std::pair<int, int>> rows{{1, 2}, {3, 4}};
    {
        std::stop_source source;
        const auto stopper = stopping_once_it_runs(pool, source);
        BOOST_CHECK_EXCEPTION(pool.apply(until_stopped, 1, source.get_token()), boost::system::system_error,
                              is_aborted);
    }
    {
        std::stop_source source;
        const auto stopper = stopping_once_it_runs(pool, source);
        BOOST_CHECK_EXCEPTION(pool.map(until_stopped, inputs, source.get_token()), boost::system::system_error,
                              is_aborted);
    }
    {
        std::stop_source source;
        const auto stopper = stopping_once_it_runs(pool, source);
        BOOST_CHECK_EXCEPTION(pool.starmap([](int x, int) { return until_stopped(x); }, rows, source.get_token()),
                              boost::system::system_error, is_aborted);
    }
    {
        std::stop_source source;
        const auto stopper = stopping_once_it_runs(pool, source);
        BOOST_CHECK_EXCEPTION(pool.with({}).try_map(until_stopped, inputs, source.get_token()),
                              boost::system::system_error, is_aborted);
    }
    BOOST_TEST(pool.apply(twice, 4) == 8);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_begins_once_a_stop_was_requested, Pool, blocking_pools)
{
    Pool pool(1);
    std::stop_source source;
    source.request_stop();
    BOOST_CHECK_EXCEPTION(pool.apply(twice, 1, source.get_token()), boost::system::system_error, is_aborted);
    BOOST_CHECK_EXCEPTION(pool.imap(twice, numbers(3), source.get_token()), boost::system::system_error, is_aborted);
    BOOST_TEST(pool.stats().done == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_token_that_does_not_stop_changes_nothing, Pool, blocking_pools)
{
    Pool pool(2);
    std::stop_source source;
    BOOST_TEST(pool.map(twice, numbers(100), source.get_token()) == pool.map(twice, numbers(100)),
               boost::test_tools::per_element());
    BOOST_TEST(pool.apply(twice, 5, std::stop_token()) == 10);
    source.request_stop(); // after the end
    BOOST_TEST(pool.apply(twice, 5) == 10);
}

BOOST_AUTO_TEST_CASE(a_function_of_a_stop_token_gets_it)
{
    thread_pool pool(1);
    std::stop_source source;
    source.request_stop();
    BOOST_TEST(pool.apply([](std::stop_token stop) { return stop.stop_requested(); }, source.get_token()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stop_ends_a_range_behind_what_is_there, Pool, blocking_pools)
{
    Pool pool(1);
    std::stop_source source;
    auto results = pool.with({.window = 4}).imap(twice, std::views::iota(0), source.get_token());
    int read = 0;
    const auto read_on = [&] {
        while (const auto value = results.next()) {
            BOOST_TEST_REQUIRE(*value == 2 * read);
            if (++read == 3)
                source.request_stop();
        }
    };
    BOOST_CHECK_EXCEPTION(read_on(), boost::system::system_error, is_aborted);
    BOOST_TEST(read >= 3);
    BOOST_TEST(!results.next());
}

BOOST_AUTO_TEST_CASE(a_task_passes_its_own_token_on)
{
    thread_pool pool(2);
    auto call =
        pool.submit([&pool](int) { return pool.map(until_stopped, numbers(4), this_task::stop_token()).size(); }, 0);
    while (pool.stats().running < 2)
        std::this_thread::yield();
    call.cancel();
    BOOST_CHECK_EXCEPTION(call.get(), boost::system::system_error, is_aborted);
}

BOOST_AUTO_TEST_SUITE_END()
