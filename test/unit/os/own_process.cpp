// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "os/own_process.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_os_own_process)

BOOST_AUTO_TEST_CASE(a_process_knows_itself)
{
    BOOST_TEST(std::filesystem::exists(own_executable()));
    BOOST_TEST(own_directory() == std::filesystem::current_path().string());
    BOOST_TEST(!has_extra_rights());
    BOOST_TEST(!is_stopped(::getpid()));
    BOOST_TEST(!is_stopped(-1));
}

BOOST_AUTO_TEST_CASE(of_its_environment_no_more_than_was_asked_for)
{
    const auto all = first_environment(1 << 20);
    BOOST_TEST(!all.empty());
    BOOST_TEST(first_environment(all.front().size()).empty());
    BOOST_TEST(first_environment(all.front().size() + 1).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
