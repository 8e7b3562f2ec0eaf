// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

using namespace twat::mp;

BOOST_AUTO_TEST_SUITE(test_error)

BOOST_AUTO_TEST_CASE(every_code_has_a_message_of_its_own)
{
    for (int value = 1; value <= static_cast<int>(errc::broker_failed); ++value)
        BOOST_TEST(error_category().message(value).find("unknown") == std::string::npos);
    BOOST_TEST(error_category().message(static_cast<int>(errc::broker_failed) + 1).find("unknown") == 0u);
    BOOST_TEST(error_category().name() == std::string("twat.mp"));
}

BOOST_AUTO_TEST_SUITE_END()
