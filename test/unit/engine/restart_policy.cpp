// SPDX-License-Identifier: BSL-1.0
#include "engine/restart_policy.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_restart_policy)

const time_point t0{};

const lost_worker idle{.was_ready = true};
const lost_worker failed_start{};
const lost_worker failed_initializer{.initializer_threw = true};
const lost_worker not_a_worker{.fails_again = true, .for_good = true};

/// A policy of one node whose worker was ready.
restart_policy proven(restart_limit limit)
{
    restart_policy policy(limit, 1);
    policy.on_ready(0, t0);
    return policy;
}

/// Loses workers until the pool is broken. Returns when that is.
time_point break_by(const lost_worker& lost, restart_policy& policy, time_point now)
{
    while (const auto again = policy.on_loss(lost, now))
        now = *again;
    BOOST_TEST_REQUIRE(policy.broken());
    return now;
}

BOOST_AUTO_TEST_CASE(the_default_limit_grows_with_the_nodes)
{
    BOOST_TEST(restart_policy({}, 1).limit() == 5u);
    BOOST_TEST(restart_policy({}, 8).limit() == 16u);
    BOOST_TEST(restart_policy({.count = 3}, 8).limit() == 3u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_died_idle_is_replaced_at_once_up_to_the_limit)
{
    restart_policy policy({.count = 2}, 1);
    BOOST_TEST((policy.on_loss(idle, t0) == t0));
    BOOST_TEST((policy.on_loss(idle, t0 + 1s) == t0 + 1s));
    BOOST_TEST(!policy.on_loss(idle, t0 + 2s));
    BOOST_TEST(policy.broken());
    BOOST_TEST(policy.why_broken() == "more than 2 workers died outside of tasks within pool_options::restarts.window");
}

BOOST_AUTO_TEST_CASE(old_deaths_are_forgotten)
{
    restart_policy policy({.count = 2, .window = 10s}, 1);
    for (int i = 0; i < 100; ++i)
        BOOST_TEST((policy.on_loss(idle, t0 + i * 6s) == t0 + i * 6s));
}

BOOST_AUTO_TEST_CASE(failed_starts_back_off_until_one_succeeds)
{
    restart_policy policy({.count = 100}, 1);
    const auto pause = [&] { return *policy.on_loss(failed_start, t0) - t0; };
    BOOST_TEST((pause() == 10ms));
    for (const duration expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
        const duration it_is = pause();
        BOOST_TEST((it_is >= expected * 3 / 4));
        BOOST_TEST((it_is <= expected * 5 / 4));
    }
    BOOST_TEST(policy.starts_fail());
    BOOST_TEST(!policy.on_ready(0, t0));
    BOOST_TEST(!policy.starts_fail());
    BOOST_TEST((pause() == 10ms));
}

BOOST_AUTO_TEST_CASE(pools_do_not_start_again_in_step)
{
    restart_policy one({}, 4, 1), other({}, 4, 2);
    one.on_loss(failed_start, t0);
    other.on_loss(failed_start, t0);
    BOOST_TEST((one.on_loss(failed_start, t0) != other.on_loss(failed_start, t0)));
}

BOOST_AUTO_TEST_CASE(starts_that_fail_for_long_break_the_pool_whatever_the_count)
{
    restart_policy policy({.count = 1000}, 1);
    BOOST_TEST((break_by(failed_start, policy, t0) <= t0 + 20s));
    BOOST_TEST(policy.why_broken().starts_with("no worker is ready, and starting one has failed "));
}

BOOST_AUTO_TEST_CASE(but_not_while_another_worker_takes_tasks)
{
    restart_policy policy({.count = 1000}, 2);
    time_point now = t0;
    for (int i = 0; i < 50; ++i)
        now = policy.on_loss({.others_ready = true}, now).value();
    BOOST_TEST((now > t0 + 100s));
}

BOOST_AUTO_TEST_CASE(what_the_system_has_no_room_for_counts_for_nothing_while_others_work)
{
    restart_policy policy({.count = 1}, 2);
    for (int i = 0; i < 50; ++i) {
        const duration pause = policy.on_loss({.node = 1, .others_ready = true, .no_room = true}, t0).value() - t0;
        BOOST_TEST((pause >= 150ms && pause <= 6250ms));
    }
    BOOST_TEST(!policy.starts_fail());
}

BOOST_AUTO_TEST_CASE(a_start_that_fails_beside_workers_that_work_counts_for_nothing)
{
    restart_policy policy({.count = 1}, 2);
    policy.on_ready(0, t0);
    BOOST_TEST((policy.on_loss({.node = 1, .others_ready = true}, t0) == t0 + 10ms));
    duration longest{};
    for (int i = 0; i < 50; ++i)
        longest = std::max(longest, policy.on_loss({.node = 1, .others_ready = true}, t0).value() - t0);
    BOOST_TEST((longest > 45s && longest <= 75s));
    BOOST_TEST(policy.failed_starts(1) == 51u);
    policy.on_ready(1, t0);
    BOOST_TEST(policy.failed_starts(1) == 0u);
    BOOST_TEST(policy.on_loss(idle, t0).has_value()); // the budget is whole
}

BOOST_AUTO_TEST_CASE(an_initializer_that_throws_in_every_worker_breaks_the_pool_at_once)
{
    restart_policy policy({}, 2);
    BOOST_TEST(policy.on_loss({.node = 0, .initializer_threw = true}, t0).has_value());
    BOOST_TEST(policy.on_loss({.node = 0, .initializer_threw = true}, t0).has_value());
    BOOST_TEST(!policy.on_loss({.node = 1, .initializer_threw = true}, t0));
    BOOST_TEST(policy.why_broken() == ""); // its exception says it
    BOOST_TEST(policy.mends());
}

BOOST_AUTO_TEST_CASE(but_not_once_it_has_run)
{
    restart_policy policy = proven({.count = 2});
    BOOST_TEST(policy.on_loss(failed_initializer, t0).has_value());
    BOOST_TEST(policy.on_loss(failed_initializer, t0).has_value());
    BOOST_TEST(!policy.on_loss(failed_initializer, t0));
}

BOOST_AUTO_TEST_CASE(a_broken_pool_tries_again_after_growing_pauses)
{
    restart_policy policy({}, 1);
    time_point now = t0;
    BOOST_TEST(!policy.on_loss(failed_initializer, now));
    for (const duration pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s}) {
        BOOST_TEST(!policy.try_again(now + pause - 1ns));
        BOOST_TEST(!policy.trying());
        now += pause;
        BOOST_TEST(policy.try_again(now));
        BOOST_TEST(policy.try_again(now)); // one at a time
        BOOST_TEST(!policy.on_loss(failed_initializer, now));
        BOOST_TEST(policy.why_broken() == "a worker of the broken pool was tried again, and failed to start");
    }
}

BOOST_AUTO_TEST_CASE(a_pause_that_nobody_ended_is_over_all_the_same)
{
    restart_policy policy({}, 1);
    policy.on_loss(failed_initializer, t0);
    BOOST_TEST(policy.try_again(t0 + 3600s));
}

BOOST_AUTO_TEST_CASE(one_worker_that_is_ready_mends_the_pool)
{
    restart_policy policy({.count = 1}, 2);
    break_by(idle, policy, t0);
    BOOST_TEST(policy.try_again(t0 + 1s));
    BOOST_TEST(policy.on_ready(0, t0 + 1s));
    BOOST_TEST(!policy.broken());
    BOOST_TEST(!policy.on_ready(1, t0 + 1s));              // there is nothing left to mend
    BOOST_TEST(policy.on_loss(idle, t0 + 1s).has_value()); // all is forgiven
}

BOOST_AUTO_TEST_CASE(a_pool_that_breaks_again_soon_pauses_for_longer)
{
    restart_policy policy({.count = 1, .window = 10s}, 1);
    break_by(idle, policy, t0);
    policy.try_again(t0 + 1s);
    policy.on_ready(0, t0 + 1s);
    break_by(idle, policy, t0 + 2s);
    BOOST_TEST(!policy.try_again(t0 + 3s));
    BOOST_TEST(policy.try_again(t0 + 4s));
    policy.on_ready(0, t0 + 4s);
    break_by(idle, policy, t0 + 100s);
    BOOST_TEST(policy.try_again(t0 + 101s));
}

BOOST_AUTO_TEST_CASE(what_is_lost_of_a_broken_pool_changes_nothing)
{
    restart_policy policy({}, 2);
    policy.on_loss({.node = 0, .fails_again = true}, t0);
    BOOST_TEST_REQUIRE(policy.broken());
    BOOST_TEST(!policy.on_loss({.node = 1, .fails_again = true}, t0 + 10s));
    BOOST_TEST(policy.try_again(t0 + 1s));
}

BOOST_AUTO_TEST_CASE(what_fails_for_good_is_not_tried_again)
{
    restart_policy policy({}, 1);
    BOOST_TEST(!policy.on_loss(not_a_worker, t0));
    BOOST_TEST(!policy.mends());
    BOOST_TEST(!policy.try_again(t0 + 3600s));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_may_come)
{
    restart_policy policy({}, 1);
    BOOST_TEST(!policy.on_loss({.fails_again = true}, t0));
    BOOST_TEST(policy.mends());
    BOOST_TEST(policy.try_again(t0 + 1s));
}

BOOST_AUTO_TEST_CASE(a_pool_that_has_worked_may_always_mend)
{
    restart_policy policy = proven({.count = 1});
    BOOST_TEST(policy.on_loss(not_a_worker, t0).has_value());
    BOOST_TEST(!policy.on_loss(not_a_worker, t0));
    BOOST_TEST(policy.try_again(t0 + 1s));
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_stuck_in_its_initializer_breaks_the_pool_unless_others_work)
{
    restart_policy policy = proven({});
    BOOST_TEST(policy.on_loss({.others_ready = true, .stuck = true}, t0).has_value());
    BOOST_TEST(!policy.on_loss({.stuck = true}, t0));
    BOOST_TEST(policy.on_ready(0, t0)); // it came through after all
}

BOOST_AUTO_TEST_SUITE_END()
