// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>

#include <twat/mp/as_completed.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/future.hpp>
#include <twat/mp/wrappers.hpp>

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

int no_threes(int x) { return x == 3 ? throw std::domain_error("three") : x; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_futures)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_future_cancels_its_call, Pool, blocking_pools)
{
    Pool pool(1);
    auto call = pool.submit(until_stopped, 1);
    auto several = pool.amap(until_stopped, numbers(3));
    await_running_task(pool);
    several.cancel();
    call.cancel();
    BOOST_CHECK_EXCEPTION(call.get(), boost::system::system_error, is_aborted);
    BOOST_CHECK_EXCEPTION(several.get(), boost::system::system_error, is_aborted);
    BOOST_TEST(pool.apply(twice, 4) == 8);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancellation_can_be_weak, Pool, blocking_pools)
{
    Pool pool(1);
    std::future<int> first = pool.submit(twice, 1);
    auto second = pool.submit(twice, 2);
    BOOST_TEST(first.get() == 2);
    BOOST_TEST(second.get() == 4);
    second.cancel(); // over
    future<int> none;
    none.cancel();
    BOOST_TEST(!none.valid());
    future<int> plain{std::future<int>()};
    plain.cancel();
}

BOOST_AUTO_TEST_CASE(what_amap_returns_cancels_too)
{
    thread_pool pool(1);
    auto later = amap(until_stopped, pool)(numbers(2));
    await_running_task(pool);
    later.cancel();
    BOOST_CHECK_EXCEPTION(later.get(), boost::system::system_error, is_aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(futures_come_as_they_get_ready, Pool, blocking_pools)
{
    Pool pool(2);
    std::vector<future<int>> futures;
    futures.push_back(pool.submit(until_stopped, 7));
    futures.push_back(pool.submit(twice, 1));
    futures.push_back(pool.submit(twice, 2));
    std::vector<std::size_t> order;
    std::vector<int> values;
    auto ready = as_completed(futures);
    for (auto it = ready.begin(); it != ready.end(); ++it) {
        order.push_back(it.index());
        BOOST_TEST(((*it).wait_for(0s) == std::future_status::ready));
        if (it.index() == 0)
            BOOST_CHECK_EXCEPTION((*it).get(), boost::system::system_error, is_aborted);
        else
            values.push_back((*it).get());
        if (order.size() == 2)
            futures[0].cancel();
    }
    BOOST_TEST_REQUIRE(order.size() == 3u);
    BOOST_TEST(order.back() == 0u);
    std::sort(values.begin(), values.end());
    BOOST_TEST(values == (std::vector<int>{2, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(futures_that_are_ready_and_failed_ones_come_too, Pool, blocking_pools)
{
    Pool pool(2);
    const auto make = [&] {
        std::vector<future<int>> futures;
        for (int x = 0; x < 20; ++x)
            futures.push_back(pool.submit(no_threes, x));
        return futures;
    };
    auto ready_ones = make();
    for (auto& f : ready_ones)
        f.wait();
    int sum = 0, failed = 0;
    const auto add = [&](auto&& futures) {
        for (auto& f : as_completed(std::move(futures))) {
            try {
                sum += f.get();
            }
            catch (const std::domain_error&) {
                ++failed;
            }
        }
    };
    add(std::move(ready_ones));
    add(make());
    add(std::vector<future<int>>());
    BOOST_TEST(sum == 2 * 187);
    BOOST_TEST(failed == 2);
}

BOOST_AUTO_TEST_CASE(futures_of_a_task_come_in_order_and_never_deadlock)
{
    thread_pool pool(1);
    const int sum = pool.apply([&pool] {
        std::vector<future<int>> futures;
        for (int x = 0; x < 4; ++x)
            futures.push_back(pool.submit(twice, x));
        int sum = 0;
        for (auto& f : as_completed(futures))
            sum = 10 * sum + f.get();
        return sum;
    });
    BOOST_TEST(sum == 246);
}

BOOST_AUTO_TEST_SUITE_END()
