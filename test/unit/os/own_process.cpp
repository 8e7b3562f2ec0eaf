// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "os/own_process.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>

#include "os/descriptor.hpp"
#include "os/file_status.hpp"

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

BOOST_AUTO_TEST_CASE(what_it_has_open_has_a_path)
{
    boost::system::error_code ec;
    const unique_descriptor page = make_page(4096, ec);
    const auto here = status_of(page.get()).value();
    const auto there =
        status_of(path_of_descriptor(static_cast<std::uint64_t>(::getpid()), static_cast<std::uint64_t>(page.get())));
    BOOST_TEST_REQUIRE(there.has_value());
    BOOST_TEST(there->inode == here.inode);
    BOOST_TEST(there->device == here.device);
}

BOOST_AUTO_TEST_SUITE_END()
