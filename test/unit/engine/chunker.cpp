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

BOOST_AUTO_TEST_CASE(grows_step_by_step_for_short_tasks)
{
    chunker sizes({.nodes = 2});
    sizes.measured(1, 1us); // most of it is the chunk's own cost
    BOOST_TEST(sizes.next(std::nullopt) == 16u);
    sizes.measured(16, 160ns);
    BOOST_TEST(sizes.next(std::nullopt) == 256u);
    sizes.measured(256, 2560ns);
    sizes.measured(4096, 40960ns);
    BOOST_TEST(sizes.next(std::nullopt) == 65536u);
}

BOOST_AUTO_TEST_CASE(aims_at_milliseconds)
{
    chunker sizes({.nodes = 2});
    sizes.measured(1, 100us);
    BOOST_TEST(sizes.next(std::nullopt) == 16u);
    sizes.measured(16, 1600us);
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

BOOST_AUTO_TEST_SUITE_END()
