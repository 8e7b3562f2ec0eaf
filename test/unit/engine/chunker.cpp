// SPDX-License-Identifier: BSL-1.0
#include "engine/chunker.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_chunker)

BOOST_AUTO_TEST_CASE(begins_with_one_task)
{
    chunker sizes({.nodes = 2});
    BOOST_TEST(sizes.next(std::nullopt) == 1u);
    BOOST_TEST(sizes.next(1'000'000) == 1u);
    BOOST_TEST(!sizes.estimate(1));
}

BOOST_AUTO_TEST_CASE(keeps_the_size_that_the_caller_gave)
{
    chunker sizes({.fixed = 7, .nodes = 2});
    sizes.measured(7, 1s);
    BOOST_TEST(sizes.next(1'000'000) == 7u);
    BOOST_TEST(sizes.next(3) == 7u); // the range ends the last one
}

BOOST_AUTO_TEST_CASE(short_chunks_of_a_given_size_travel_together)
{
    chunker sizes({.fixed = 2, .together = 100, .nodes = 2});
    BOOST_TEST(sizes.next(1'000'000) == 2u); // not measured yet
    sizes.measured(2, 2us);
    BOOST_TEST(sizes.next(1'000'000) == 128u);
    sizes.measured(128, 128us);
    BOOST_TEST(sizes.next(1'000'000) == 200u);
    BOOST_TEST(sizes.next(80) == 20u); // a share for each, and one that waits
    BOOST_TEST(sizes.next(4) == 2u);
    sizes.measured(200, 200 * 50us);
    sizes.measured(200, 200 * 50us);
    sizes.measured(200, 200 * 50us);
    BOOST_TEST(sizes.next(1'000'000) < 24u);
    chunker alone({.fixed = 7, .nodes = 2});
    alone.measured(7, 1us);
    BOOST_TEST(alone.next(1'000'000) == 7u);
}

BOOST_AUTO_TEST_CASE(may_begin_with_much_until_others_wait)
{
    chunker sizes({.first = 1000, .nodes = 2});
    BOOST_TEST(sizes.next(1'000'000) == 1000u);
    BOOST_TEST(sizes.next(800) == 100u); // every worker gets something
    BOOST_TEST(sizes.next(3) == 1u);
    BOOST_TEST(sizes.next(std::nullopt) == 1u);
    BOOST_TEST(sizes.hold_back());
    BOOST_TEST(sizes.next(1'000'000) == 1u);
    sizes.measured(1, 1us);
    BOOST_TEST(!sizes.hold_back());
}

BOOST_AUTO_TEST_CASE(grows_step_by_step_for_short_tasks)
{
    chunker sizes({.nodes = 2});
    sizes.measured(1, 1us); // most of it is the chunk's own cost
    BOOST_TEST(sizes.next(std::nullopt) == 64u);
    sizes.measured(64, 640ns);
    BOOST_TEST(sizes.next(std::nullopt) == 4096u);
    sizes.measured(4096, 40960ns);
    BOOST_TEST(sizes.next(std::nullopt) == 65536u);
}

BOOST_AUTO_TEST_CASE(aims_at_milliseconds)
{
    chunker sizes({.nodes = 2});
    sizes.measured(1, 50us);
    BOOST_TEST(sizes.next(std::nullopt) == 64u);
    sizes.measured(64, 6400us);
    BOOST_TEST(sizes.next(std::nullopt) == 40u);
    sizes.measured(1, 10ms); // and follows tasks that become longer
    sizes.measured(1, 10ms);
    BOOST_TEST(sizes.next(std::nullopt) == 1u);
}

BOOST_AUTO_TEST_CASE(shrinks_towards_the_end)
{
    chunker sizes({.nodes = 2});
    sizes.measured(64, 64 * 100us);
    BOOST_TEST(sizes.next(1000) == 40u);
    BOOST_TEST(sizes.next(80) == 20u);
    BOOST_TEST(sizes.next(4) == 1u);
    sizes = chunker({.nodes = 2});
    sizes.measured(4096, 4096 * 10ns);
    BOOST_TEST(sizes.next(4000) == 5000u); // not below 50 us of work
}

BOOST_AUTO_TEST_CASE(long_tasks_go_one_by_one)
{
    chunker sizes({.nodes = 2});
    sizes.measured(1, 1s);
    BOOST_TEST(sizes.next(std::nullopt) == 1u);
    BOOST_TEST((*sizes.estimate(3) == 3s));
}

BOOST_AUTO_TEST_CASE(chunks_hold_the_work_that_the_workers_aim_at)
{
    chunker far({.nodes = 2, .aim = 40ms});
    far.measured(64, 64 * 100us);
    BOOST_TEST(far.next(std::nullopt) == 400u);
    BOOST_TEST(far.next(8) == 5u); // not below 500 us of work
    chunker given({.fixed = 2, .together = 1000, .nodes = 2, .aim = 40ms});
    given.measured(100, 100 * 10us);
    BOOST_TEST(given.next(1'000'000) == 500u); // 5 ms together
}

BOOST_AUTO_TEST_SUITE_END()
