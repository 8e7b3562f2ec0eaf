// SPDX-License-Identifier: BSL-1.0
#include "engine/restart_policy.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_restart_policy)

const time_point t0{};

BOOST_AUTO_TEST_CASE(the_default_limit_grows_with_the_nodes)
{
    BOOST_TEST(restart_policy({}, 1).limit() == 5u);
    BOOST_TEST(restart_policy({}, 8).limit() == 16u);
    BOOST_TEST(restart_policy({.count = 3}, 8).limit() == 3u);
}

BOOST_AUTO_TEST_CASE(a_ready_worker_is_replaced_at_once_up_to_the_limit)
{
    restart_policy policy({.count = 2}, 1);
    BOOST_TEST((policy.on_death(t0, true) == t0));
    BOOST_TEST((policy.on_death(t0 + 1s, true) == t0 + 1s));
    BOOST_TEST(!policy.on_death(t0 + 2s, true));
    BOOST_TEST(policy.broken());
    BOOST_TEST(policy.why_broken() == "more than 2 workers died within pool_options::restarts.window");
    BOOST_TEST(!policy.on_death(t0 + 100s, true)); // and stays broken
}

BOOST_AUTO_TEST_CASE(old_deaths_are_forgotten)
{
    restart_policy policy({.count = 2, .window = 10s}, 1);
    for (int i = 0; i < 100; ++i)
        BOOST_TEST((policy.on_death(t0 + i * 6s, true) == t0 + i * 6s));
}

BOOST_AUTO_TEST_CASE(failed_starts_back_off_until_one_succeeds)
{
    restart_policy policy({.count = 100}, 1);
    const auto pause = [&] { return *policy.on_death(t0, false) - t0; };
    BOOST_TEST((pause() == 10ms));
    for (const duration expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
        const duration it_is = pause();
        BOOST_TEST((it_is >= expected * 3 / 4));
        BOOST_TEST((it_is <= expected * 5 / 4));
    }
    BOOST_TEST(policy.starts_fail());
    policy.on_ready();
    BOOST_TEST(!policy.starts_fail());
    BOOST_TEST((pause() == 10ms));
}

BOOST_AUTO_TEST_CASE(pools_do_not_start_again_in_step)
{
    restart_policy one({}, 4, 1), other({}, 4, 2);
    one.on_death(t0, false);
    other.on_death(t0, false);
    BOOST_TEST((one.on_death(t0, false) != other.on_death(t0, false)));
}

BOOST_AUTO_TEST_CASE(starts_that_fail_for_long_break_the_pool_whatever_the_count)
{
    restart_policy policy({.count = 1000}, 1);
    time_point now = t0;
    while (const auto again = policy.on_death(now, false)) {
        now = *again;
        BOOST_TEST_REQUIRE((now <= t0 + 20s));
    }
    BOOST_TEST(policy.broken());
    BOOST_TEST(policy.why_broken().starts_with("no worker is ready, and starting one has failed "));
}

BOOST_AUTO_TEST_CASE(but_not_while_another_worker_takes_tasks)
{
    restart_policy policy({.count = 1000}, 2);
    time_point now = t0;
    for (int i = 0; i < 50; ++i)
        now = policy.on_death(now, false, true).value();
    BOOST_TEST((now > t0 + 100s));
}

BOOST_AUTO_TEST_SUITE_END()
