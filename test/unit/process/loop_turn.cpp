// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include "process/loop_turn.hpp"

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_loop_turn)

struct a_turn_that_began
{
    loop_turn turn;
    const time_point begin = time_point() + std::chrono::hours(1);
    const time_point end = turn.until(begin);
};

BOOST_FIXTURE_TEST_CASE(who_comes_at_once_shares_the_turn, a_turn_that_began)
{
    BOOST_TEST((end == begin + loop_turn::length));
    time_point now = begin;
    for (int i = 0; i != 100; ++i)
        BOOST_TEST((turn.until(now += loop_turn::between) == end));
}

BOOST_FIXTURE_TEST_CASE(who_comes_after_others_had_theirs_begins_a_new_one, a_turn_that_began)
{
    const time_point later = begin + 2 * loop_turn::between;
    BOOST_TEST((turn.until(later) == later + loop_turn::length));
}

BOOST_FIXTURE_TEST_CASE(what_the_pool_did_meanwhile_counts_as_its_turn, a_turn_that_began)
{
    const time_point later = begin + 10 * loop_turn::between;
    turn.worked_until(later);
    BOOST_TEST((turn.until(later + loop_turn::between) == end));
}

BOOST_FIXTURE_TEST_CASE(a_posted_turn_is_a_new_one_however_soon_it_comes, a_turn_that_began)
{
    turn.begin_anew();
    BOOST_TEST((turn.until(begin + loop_turn::between) == begin + loop_turn::between + loop_turn::length));
}

BOOST_AUTO_TEST_SUITE_END()
