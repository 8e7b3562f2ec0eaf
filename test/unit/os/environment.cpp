// SPDX-License-Identifier: BSL-1.0
#include "os/environment.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>

using namespace twat::mp::detail;
namespace bdata = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(test_environment)

BOOST_DATA_TEST_CASE(a_switch_is_on, bdata::make({"1", "true", "yes", "on", "TRUE", "2", "00", "falsehood", " "}),
                     value)
{
    BOOST_TEST(means_yes(value));
}

BOOST_DATA_TEST_CASE(a_switch_is_off, bdata::make({"", "0", "false", "no", "off", "False", "NO", "oFF"}), value)
{
    BOOST_TEST(!means_yes(value));
}

BOOST_AUTO_TEST_CASE(a_variable_that_is_not_set_is_off)
{
    ::unsetenv("TWAT_MP_TEST_SWITCH");
    BOOST_TEST(!is_enabled("TWAT_MP_TEST_SWITCH"));
    ::setenv("TWAT_MP_TEST_SWITCH", "1", 1);
    BOOST_TEST(is_enabled("TWAT_MP_TEST_SWITCH"));
    ::setenv("TWAT_MP_TEST_SWITCH", "false", 1);
    BOOST_TEST(!is_enabled("TWAT_MP_TEST_SWITCH"));
    ::unsetenv("TWAT_MP_TEST_SWITCH");
}

BOOST_AUTO_TEST_SUITE_END()
