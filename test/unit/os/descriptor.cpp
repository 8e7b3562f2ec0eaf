// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "os/descriptor.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child_census.hpp"
#include "descriptor_shortage.hpp"

using namespace twat::mp::detail;
using namespace twat::mp::test;
using boost::system::error_code;

BOOST_AUTO_TEST_SUITE(test_descriptor)

struct fixture
{
    const std::size_t before = count_descriptors();
    error_code ec;

    ~fixture() { BOOST_TEST(count_descriptors() == before); }

    static void check(const unique_descriptor& fd)
    {
        BOOST_TEST(fd.get() >= lowest_descriptor);
        BOOST_TEST(::fcntl(fd.get(), F_GETFD) == FD_CLOEXEC);
    }
};

BOOST_FIXTURE_TEST_CASE(a_moved_from_descriptor_is_empty, fixture)
{
    auto first = open_null(ec);
    const int number = first.get();
    auto second = std::move(first);
    BOOST_TEST(!first);
    BOOST_TEST(second.get() == number);
    first = std::move(second);
    BOOST_TEST(first.get() == number);
    errno = EDOM;
    first.reset();
    BOOST_TEST(errno == EDOM);
    BOOST_TEST(::fcntl(number, F_GETFD) == -1);
}

BOOST_FIXTURE_TEST_CASE(all_are_high_and_close_on_exec, fixture)
{
    check(open_null(ec));
    check(make_event(ec));
    check(make_page(4096, ec));
    const auto pair = make_socket_pair(ec);
    check(pair.first);
    check(pair.second);
    check(duplicate(pair.first.get(), ec));
    BOOST_TEST(!ec);
}

// Those that need not be raised are what the system call made of them.
BOOST_FIXTURE_TEST_CASE(they_close_on_exec_from_their_birth, fixture)
{
    std::vector<unique_descriptor> low;
    do
        low.emplace_back(::open("/dev/null", O_RDWR | O_CLOEXEC));
    while (low.back().get() < lowest_descriptor);
    check(open_null(ec));
    check(make_event(ec));
    check(make_page(4096, ec));
    const auto pair = make_socket_pair(ec);
    check(pair.first);
    check(pair.second);
    BOOST_TEST(!ec);
}

BOOST_FIXTURE_TEST_CASE(the_ends_of_a_pair_are_connected_and_a_closed_one_hangs_up, fixture)
{
    auto pair = make_socket_pair(ec);
    BOOST_TEST(::write(pair.first.get(), "x", 1) == 1);
    char c = 0;
    BOOST_TEST(::read(pair.second.get(), &c, 1) == 1);
    pollfd quiet{pair.second.get(), 0, 0};
    BOOST_TEST(::poll(&quiet, 1, 0) == 0);
    pair.first.reset();
    BOOST_TEST(::poll(&quiet, 1, -1) == 1);
    BOOST_TEST((quiet.revents & POLLHUP) != 0);
}

BOOST_FIXTURE_TEST_CASE(a_page_cannot_change_its_size, fixture)
{
    const auto page = make_page(8192, ec);
    struct stat about;
    BOOST_TEST(::fstat(page.get(), &about) == 0);
    BOOST_TEST(about.st_size == 8192);
    BOOST_TEST(::ftruncate(page.get(), 4096) == -1);
    BOOST_TEST(::ftruncate(page.get(), 16384) == -1);
}

BOOST_FIXTURE_TEST_CASE(a_page_that_is_too_large_is_an_error, fixture)
{
    BOOST_TEST(!make_page(std::size_t(1) << 63, ec));
    BOOST_TEST(bool(ec));
}

BOOST_FIXTURE_TEST_CASE(a_shortage_leaves_nothing_open, fixture)
{
    for (rlim_t spare = 0; spare < 2; ++spare) {
        const descriptor_shortage shortage(spare);
        const auto pair = make_socket_pair(ec);
        BOOST_TEST(ec.value() == EMFILE);
        BOOST_TEST(!pair.first);
        BOOST_TEST(!pair.second);
        // What was free is free again.
        std::vector<unique_descriptor> free;
        for (int fd; (fd = ::open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0;)
            free.emplace_back(fd);
        BOOST_TEST(free.size() == spare);
    }
    const descriptor_shortage shortage(0);
    BOOST_TEST(!make_event(ec));
    BOOST_TEST(ec.value() == EMFILE);
    BOOST_TEST(!make_page(4096, ec));
    BOOST_TEST(ec.value() == EMFILE);
    BOOST_TEST(!open_null(ec));
    BOOST_TEST(!duplicate(0, ec));
    BOOST_TEST(ec.value() == EMFILE);
}

BOOST_AUTO_TEST_SUITE_END()
