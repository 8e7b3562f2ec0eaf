// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "start/title.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include <errno.h>

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_title)

BOOST_AUTO_TEST_CASE(the_title_tells_program_worker_and_parent)
{
    BOOST_TEST(make_title("pgzip", 1, 4711) == "pgzip: worker 1 of 4711");
}

BOOST_AUTO_TEST_CASE(the_short_name_keeps_the_number)
{
    BOOST_TEST(make_short_name("pgzip", 1) == "pgzip:w1");
    BOOST_TEST(make_short_name("a_very_long_program", 12) == "a_very_long:w12");
    BOOST_TEST(make_short_name("", 0) == ":w0");
}

BOOST_AUTO_TEST_CASE(a_worker_of_a_worker_has_the_program_s_name)
{
    const auto before = program_invocation_short_name;
    BOOST_TEST(program_name() == before);
    auto title = make_title("pgzip", 1, 4711);
    program_invocation_short_name = title.data();
    BOOST_TEST(program_name() == "pgzip");
    program_invocation_short_name = before;
}

BOOST_AUTO_TEST_SUITE_END()
