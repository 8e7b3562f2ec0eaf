// SPDX-License-Identifier: BSL-1.0
#include "os/off_loop_timer.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <vector>

using namespace twat::mp::detail;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(test_off_loop_timer)

BOOST_AUTO_TEST_CASE(it_rings_once_at_its_time_and_not_before)
{
    std::promise<clock_type::time_point> rang;
    const auto due = clock_type::now() + 20ms;
    off_loop_timer timer;
    timer.set(due, [&] { rang.set_value(clock_type::now()); });
    BOOST_TEST((rang.get_future().get() >= due));
}

BOOST_AUTO_TEST_CASE(the_earliest_rings_first_whatever_was_set_before)
{
    std::promise<void> all;
    std::vector<int> order;
    off_loop_timer late, early;
    const auto now = clock_type::now();
    late.set(now + 40ms, [&] { order.push_back(2), all.set_value(); });
    early.set(now + 10ms, [&] { order.push_back(1); });
    all.get_future().wait();
    BOOST_TEST(order == (std::vector<int>{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_that_is_set_again_cleared_or_destroyed_does_not_ring)
{
    std::promise<void> last;
    int wrong = 0;
    off_loop_timer again, cleared, end;
    again.set(clock_type::now() + 5ms, [&] { ++wrong; });
    again.set(clock_type::now() + 10h, [&] { ++wrong; });
    cleared.set(clock_type::now() + 5ms, [&] { ++wrong; });
    cleared.clear();
    off_loop_timer().set(clock_type::now() + 5ms, [&] { ++wrong; });
    end.set(clock_type::now() + 50ms, [&] { last.set_value(); });
    last.get_future().wait();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
