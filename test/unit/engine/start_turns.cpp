// SPDX-License-Identifier: BSL-1.0
#include "engine/start_turns.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_start_turns)

const time_point t0{};

BOOST_AUTO_TEST_CASE(as_many_start_at_once_as_there_are_turns)
{
    start_turns turns(2, 4);
    for (std::size_t node = 0; node < 4; ++node)
        turns.want(node);
    BOOST_TEST((turns.next() == 0u));
    turns.begun(10, t0);
    BOOST_TEST((turns.next() == 1u));
    turns.begun(11, t0);
    BOOST_TEST(!turns.next());
    turns.over(10);
    BOOST_TEST((turns.next() == 2u));
    turns.begun(12, t0);
    BOOST_TEST(!turns.next());
    turns.over(99); // one without a turn
    BOOST_TEST(!turns.next());
    turns.over(12);
    BOOST_TEST((turns.next() == 3u));
    BOOST_TEST(!turns.waiting());
}

BOOST_AUTO_TEST_CASE(a_node_waits_once)
{
    start_turns turns(1, 2);
    turns.want(1);
    turns.want(1);
    BOOST_TEST(turns.wants(1));
    BOOST_TEST((turns.next() == 1u));
    BOOST_TEST(!turns.wants(1));
    BOOST_TEST(!turns.next());
    turns.want(0);
    turns.clear();
    BOOST_TEST(!turns.wants(0));
    BOOST_TEST(!turns.next());
}

BOOST_AUTO_TEST_CASE(a_start_that_sleeps_gives_up_its_turn)
{
    start_turns turns(2, 3);
    for (std::size_t node = 0; node < 3; ++node)
        turns.want(node);
    turns.next();
    turns.begun(1, t0);
    turns.next();
    turns.begun(2, t0);
    std::map<worker_id, duration> used{{1, 0ms}, {2, 0ms}};
    const auto look = [&](time_point now) { turns.look(now, [&](worker_id id) { return std::optional(used[id]); }); };
    time_point now = turns.next_look();
    look(now); // the first look has nothing to compare with
    BOOST_TEST(!turns.next());
    for (int i = 0; i < 10; ++i) {
        now = turns.next_look();
        used[1] += now - t0;
        used[2] += now - t0;
        look(now);
        BOOST_TEST(!turns.next());
    }
    now = turns.next_look();
    used[1] += 1s;
    look(now); // 2 has slept since
    BOOST_TEST((turns.next() == 2u));
}

BOOST_AUTO_TEST_CASE(nobody_looks_while_nobody_waits)
{
    start_turns turns(1, 1);
    turns.want(0);
    turns.next();
    turns.begun(1, t0);
    BOOST_TEST((turns.next_look() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(a_start_of_which_nothing_is_known_keeps_its_turn)
{
    start_turns turns(1, 2);
    turns.want(0);
    turns.want(1);
    turns.next();
    turns.begun(1, t0);
    for (int i = 0; i < 10; ++i)
        turns.look(turns.next_look(), [](worker_id) { return std::optional<duration>(); });
    BOOST_TEST(!turns.next());
}

BOOST_AUTO_TEST_SUITE_END()
