// SPDX-License-Identifier: BSL-1.0
// A test whose main is that of Boost.Test, and whose workers are processes.
// tag::testing[]
#define BOOST_TEST_MODULE with_a_pool
#include <boost/test/unit_test.hpp>

#include <twat/mp.hpp>

#include <chrono>
#include <cstdlib>
#include <vector>

namespace mp = twat::mp;

int square(int x) { return x * x; }
int render(int page) { return page + 1; }
void crash() { std::abort(); }

BOOST_AUTO_TEST_CASE(squares_come_in_order)
{
    mp::process_pool pool(2);
    const std::vector<int> expected{1, 4, 9};
    BOOST_TEST(pool.map(square, std::vector<int>{1, 2, 3}) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(processes_give_what_a_plain_call_gives)
{
    mp::process_pool pool(2);
    const std::vector<int> pages{1, 2, 3};
    BOOST_TEST(!mp::verify(pool, render, pages));
}

BOOST_AUTO_TEST_CASE(a_crash_is_an_exception)
{
    mp::process_pool pool(1);
    BOOST_CHECK_THROW(pool.apply(crash), mp::worker_died);
    BOOST_TEST(pool.apply(square, 3) == 9);
}
// end::testing[]

// tag::chaos[]
int size_of_page(int page) { return 100 + page; }

/// What the program does for its users, and what is under test: a page whose worker dies is measured again.
std::vector<int> sizes(mp::process_pool& pool, const std::vector<int>& pages)
{
    return pool.with({.retries = 3}).map(size_of_page, pages);
}

BOOST_AUTO_TEST_CASE(sizes_survive_workers_that_die)
{
    mp::process_pool pool({.nodes = 2, .chaos = {.seed = 7, .kill = 0.1, .delay = {0.05, std::chrono::milliseconds(5)}}});
    const std::vector<int> pages(60, 1), expected(60, 101);
    BOOST_TEST(sizes(pool, pages) == expected, boost::test_tools::per_element());
    BOOST_TEST(pool.stats().chaos.kills != 0u); // or the test has shown nothing
}
// end::chaos[]
