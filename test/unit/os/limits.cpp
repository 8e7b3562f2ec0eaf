// SPDX-License-Identifier: BSL-1.0
#include "os/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

#include "resource_limit.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_limits)

BOOST_AUTO_TEST_CASE(the_limit_is_named_with_its_value)
{
    const auto system_error = [](int number) {
        return boost::system::error_code(number, boost::system::system_category());
    };
    {
        const test::resource_limit few(RLIMIT_NOFILE, 123);
        BOOST_TEST(explain_limit(system_error(EMFILE)).find("RLIMIT_NOFILE, the open files of this process, is 123;") !=
                   std::string::npos);
    }
    BOOST_TEST(explain_limit(system_error(ENFILE)).find("fs.file-max") != std::string::npos);
    BOOST_TEST(explain_limit(system_error(EAGAIN)).find("RLIMIT_NPROC") != std::string::npos);
    BOOST_TEST(explain_limit(system_error(ENOENT)).empty());
}

BOOST_AUTO_TEST_SUITE_END()
