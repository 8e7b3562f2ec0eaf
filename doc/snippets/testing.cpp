// SPDX-License-Identifier: BSL-1.0
// A test whose main is that of Boost.Test, and whose workers are processes.
// tag::testing[]
#define BOOST_TEST_MODULE with_a_pool
#include <boost/test/unit_test.hpp>

#include <twat/mp.hpp>

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
