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
    BOOST_TEST((policy.on_death(t0, false) == t0 + 10ms));
    BOOST_TEST((policy.on_death(t0, false) == t0 + 20ms));
    BOOST_TEST((policy.on_death(t0, false) == t0 + 40ms));
    BOOST_TEST(policy.starts_fail());
    for (int i = 0; i < 20; ++i)
        policy.on_death(t0, false);
    BOOST_TEST((policy.on_death(t0, false) == t0 + 1s));
    policy.on_ready();
    BOOST_TEST(!policy.starts_fail());
    BOOST_TEST((policy.on_death(t0, false) == t0 + 10ms));
}

BOOST_AUTO_TEST_SUITE_END()
