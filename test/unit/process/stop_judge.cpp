// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/stop_judge.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp::detail;
using verdict = stop_judge::verdict;

BOOST_AUTO_TEST_SUITE(test_stop_judge)

struct fixture
{
    stop_judge judge;
    time_point now{std::chrono::hours(1)};

    bool is(verdict expected, int signal, bool with_program = false)
    {
        now += stop_judge::pause;
        return judge.judge(now, signal, with_program) == expected;
    }
};

BOOST_FIXTURE_TEST_CASE(a_silent_worker_is_looked_at_soon_and_then_now_and_then, fixture)
{
    BOOST_TEST((judge.due(now) == now + stop_judge::first_look));
    const time_point looked = now + stop_judge::first_look;
    judge.judge(looked, 0, false);
    BOOST_TEST((judge.due(now) == looked + stop_judge::pause));
    BOOST_TEST((judge.due(looked + stop_judge::pause) == looked + stop_judge::pause + stop_judge::first_look));
}

BOOST_FIXTURE_TEST_CASE(one_that_runs_is_left_alone, fixture)
{
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(is(verdict::leave, 0));
}

BOOST_FIXTURE_TEST_CASE(one_that_stays_stopped_is_killed_at_the_third_look, fixture)
{
    BOOST_TEST(is(verdict::leave, SIGSTOP));
    BOOST_TEST(is(verdict::leave, SIGSTOP));
    BOOST_TEST(is(verdict::kill, SIGSTOP));
}

BOOST_FIXTURE_TEST_CASE(one_that_went_on_between_two_looks_is_counted_anew, fixture)
{
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(is(verdict::leave, SIGTSTP));
        BOOST_TEST(is(verdict::leave, SIGTSTP));
        BOOST_TEST(is(verdict::leave, 0));
    }
}

BOOST_FIXTURE_TEST_CASE(after_a_long_absence_of_the_program_it_is_seen_twice, fixture)
{
    BOOST_TEST(is(verdict::leave, SIGSTOP));
    now += std::chrono::hours(5);
    BOOST_TEST(is(verdict::leave, SIGSTOP));
    BOOST_TEST(is(verdict::leave, 0));
}

BOOST_FIXTURE_TEST_CASE(one_that_the_terminal_stopped_is_killed_at_once, fixture)
{
    BOOST_TEST(is(verdict::kill, SIGTTIN));
    BOOST_TEST(is(verdict::kill, SIGTTOU));
}

BOOST_FIXTURE_TEST_CASE(one_that_paused_with_the_program_is_resumed, fixture)
{
    BOOST_TEST(is(verdict::leave, SIGSTOP));
    BOOST_TEST(is(verdict::leave, SIGSTOP));
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(is(verdict::resume, SIGSTOP, true));
    BOOST_TEST(is(verdict::leave, 0, true)); // it says so, but has not stopped yet, or goes on already
}

BOOST_AUTO_TEST_SUITE_END()
