// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "os/socket_io.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "os/descriptor.hpp"
#include "os/file_status.hpp"

using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_os_socket_io)

struct fixture
{
    boost::system::error_code ec;
    socket_pair sockets = make_socket_pair(ec);
    int here = sockets.first.get(), there = sockets.second.get();
    std::array<std::byte, 3> one{std::byte{1}, std::byte{2}, std::byte{3}};
    std::array<std::byte, 2> other{std::byte{4}, std::byte{5}};
    std::vector<std::byte> room = std::vector<std::byte>(100);
};

constexpr socket_call at_once = socket_call::returns_at_once;

BOOST_FIXTURE_TEST_CASE(ranges_arrive_behind_each_other, fixture)
{
    const std::span<const std::byte> ranges[] = {one, {}, other};
    BOOST_TEST(send_bytes(here, ranges, at_once) == 5);
    const received_bytes got = receive_bytes(there, room, at_once);
    BOOST_TEST(got.size == 5);
    BOOST_TEST(!got.has_descriptors);
    BOOST_TEST((room[2] == std::byte{3} && room[3] == std::byte{4}));
}

BOOST_FIXTURE_TEST_CASE(a_call_that_returns_at_once_says_that_there_is_nothing, fixture)
{
    const std::ptrdiff_t size = receive_bytes(there, room, at_once).size;
    const int why = errno;
    BOOST_TEST(size == -1);
    BOOST_TEST((why == EAGAIN || why == EWOULDBLOCK));
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_is_gone_is_an_error_and_no_signal, fixture)
{
    sockets.second.reset();
    BOOST_TEST(receive_bytes(here, room, at_once).size == 0);
    const std::span<const std::byte> ranges[] = {one};
    const std::ptrdiff_t size = send_bytes(here, ranges, socket_call::waits);
    const int why = errno;
    BOOST_TEST(size == -1);
    BOOST_TEST(why == EPIPE);
}

BOOST_FIXTURE_TEST_CASE(descriptors_come_along_with_their_bytes, fixture)
{
    const unique_descriptor sent = open_null(ec);
    const int both[] = {sent.get(), sent.get()};
    const std::span<const std::byte> ranges[] = {std::span<const std::byte>(one).first(1),
                                                 std::span<const std::byte>(one).subspan(1)};
    BOOST_TEST(send_descriptors(here, ranges, both, at_once) == 3);
    const received_bytes got = receive_bytes(there, room, at_once);
    BOOST_TEST(got.size == 3);
    BOOST_TEST(got.has_descriptors);
    BOOST_TEST_REQUIRE(got.descriptors.size() == 2u);
    const auto original = status_of(sent.get()).value();
    for (const int fd : got.descriptors) {
        const unique_descriptor owned(fd);
        const auto copy = status_of(fd).value();
        BOOST_TEST(copy.device == original.device);
        BOOST_TEST(copy.inode == original.inode);
    }
}

BOOST_FIXTURE_TEST_CASE(a_file_is_told_apart_from_a_socket, fixture)
{
    BOOST_TEST(status_of(here).value().is_socket);
    const unique_descriptor page = make_page(4096, ec);
    const auto file = status_of(page.get()).value();
    BOOST_TEST(!file.is_socket);
    BOOST_TEST(file.is_regular);
    BOOST_TEST(file.size == 4096u);
    BOOST_TEST(cannot_shrink(page.get()));
    BOOST_TEST(!cannot_shrink(here));
    BOOST_TEST(!status_of(-1));
    BOOST_TEST(!status_of(std::string("/not/there")));
}

BOOST_AUTO_TEST_SUITE_END()
