// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/worker_channel.hpp"

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_process_worker_channel)

struct socket_pair_of_test
{
    socket_pair_of_test() { BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0); }
    ~socket_pair_of_test()
    {
        ::close(fd[0]);
        ::close(fd[1]);
    }

    int fd[2];
};

struct fixture : socket_pair_of_test // which must be there before the channels
{
    worker_channel here{fd[0], std::uint64_t(1) << 30};
    worker_channel there{fd[1], std::uint64_t(1) << 30};
};

using progress = worker_channel::progress;

BOOST_FIXTURE_TEST_CASE(nothing_blocks, fixture)
{
    BOOST_TEST((here.send() == progress::done));
    BOOST_TEST((here.receive(1000) == progress::done));
    BOOST_TEST(!here.next());
}

BOOST_FIXTURE_TEST_CASE(frames_and_references_arrive_in_order, fixture)
{
    const auto large = std::make_shared<std::vector<std::byte>>(10'000'000);
    for (std::size_t i = 0; i < large->size(); ++i)
        (*large)[i] = static_cast<std::byte>(i * 7);
    here.queue({frame_type::ping, 0, 1, 0});
    write_frame_header(here.tail().extend(frame_header_size), {frame_type::function, 0, 2, large->size()});
    here.queue_reference(*large, large);
    here.queue({frame_type::ping, 0, 3, 0});
    std::vector<std::uint64_t> ids;
    bool same = false, was_blocked = false;
    while (ids.size() < 3) {
        was_blocked = here.send() == progress::blocked || was_blocked;
        there.receive(1u << 20);
        while (const auto arrived = there.next()) {
            ids.push_back(arrived->header.id);
            if (ids.size() == 2)
                same = std::equal(large->begin(), large->end(), arrived->bytes.begin(), arrived->bytes.end());
        }
    }
    BOOST_TEST((ids == std::vector<std::uint64_t>{1, 2, 3}));
    BOOST_TEST(same);
    BOOST_TEST(was_blocked);
    BOOST_TEST(!here.has_unsent());
    BOOST_TEST(large.use_count() == 1); // let go of when it was sent
}

BOOST_FIXTURE_TEST_CASE(many_small_frames_need_no_many_calls, fixture)
{
    for (std::uint64_t i = 0; i < 100; ++i)
        here.queue({frame_type::ping, 0, i, 0});
    BOOST_TEST((here.send() == progress::done));
    there.receive(1u << 20);
    for (std::uint64_t i = 0; i < 100; ++i)
        BOOST_TEST(there.next().value().header.id == i);
}

BOOST_FIXTURE_TEST_CASE(what_was_sent_before_the_end_is_read, fixture)
{
    here.queue({frame_type::ping, 0, 1, 0});
    here.send();
    ::shutdown(fd[0], SHUT_RDWR);
    while (there.receive(1000) != progress::closed)
        ;
    BOOST_TEST(there.next().value().header.id == 1u);
    there.queue({frame_type::ping, 0, 1, 0});
    BOOST_TEST((there.send() == progress::closed)); // and no SIGPIPE
}

BOOST_FIXTURE_TEST_CASE(garbage_is_refused, fixture)
{
    const std::string garbage(100, '?');
    BOOST_REQUIRE(::write(fd[0], garbage.data(), garbage.size()) == 100);
    BOOST_CHECK_THROW(there.receive(1000); there.next(), error);
}

BOOST_AUTO_TEST_SUITE_END()
