// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/worker_link.hpp"

#include <twat/mp/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "memory_page.hpp"

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::test;

BOOST_AUTO_TEST_SUITE(test_process_worker_link)

/// Notes what it gets: a letter for a frame, a digit for a record.
struct noting_user final : link_user
{
    std::string got;
    bool wants_more = true, is_connected = true;
    std::vector<boost::system::error_code> readable, writable;

    void on_readable(const boost::system::error_code& ec) override { readable.push_back(ec); }
    void on_writable(const boost::system::error_code& ec) override { writable.push_back(ec); }
    void heard() override {}
    void take(const frame& arrived) override { got += static_cast<char>('a' + arrived.header.id); }
    void take(const record& what) override
    {
        if (what.chunk == 99)
            throw error(errc::protocol_error, "nonsense");
        for (std::uint32_t i = 0; i != what.count; ++i)
            got += static_cast<char>('0' + what.position + i);
    }
    bool listens() const noexcept override { return wants_more; }
    bool connected() const noexcept override { return is_connected; }
};

struct fixture
{
    static constexpr page_layout layout{4, 4096};
    memory_file file{layout};
    shared_page page = shared_page::create(file.fd, layout);
    ring_writer ring{page};
    boost::system::error_code ec;
    socket_pair sockets = make_socket_pair(ec);
    worker_channel there{sockets.second.get(), 1u << 20};
    std::shared_ptr<noting_user> user = std::make_shared<noting_user>();
    asio::io_context context;
    std::optional<worker_link> link;

    fixture() { link.emplace(*user, std::move(sockets.first), page, 1u << 20); }

    void publish(std::uint32_t position, std::uint64_t chunk = 1)
    {
        const std::byte bytes[4]{};
        BOOST_TEST_REQUIRE(ring.write({chunk, position, record_kind::value, bytes}));
    }
    void send(std::uint64_t id)
    {
        there.queue({frame_type::ping, 0, id, 0});
        there.send();
    }
    void hang_up() { sockets.second.reset(); }
};

using result = worker_link::result;
constexpr time_point for_ever = time_point::max(), at_once{};

BOOST_FIXTURE_TEST_CASE(what_was_published_comes_before_what_arrived, fixture)
{
    publish(0);
    publish(1);
    send(0);
    send(1);
    BOOST_TEST((link->read(for_ever) == result::all));
    BOOST_TEST(user->got == "01ab");
    BOOST_TEST((link->read(for_ever) == result::all));
    BOOST_TEST(user->got == "01ab");
}

BOOST_FIXTURE_TEST_CASE(a_turn_that_is_over_leaves_the_rest_for_another_one, fixture)
{
    for (std::uint32_t i = 0; i != 70; ++i)
        publish(i, i % 2 == 0 ? 1 : 2); // so that they are not told together
    send(0);
    BOOST_TEST((link->read(at_once) == result::later));
    BOOST_TEST(user->got.size() == 64u);
    BOOST_TEST(link->has_rest());
    BOOST_TEST((link->read(for_ever) == result::all));
    BOOST_TEST(user->got.size() == 71u);
    BOOST_TEST(user->got.back() == 'a');
    BOOST_TEST(!link->has_rest());
}

BOOST_FIXTURE_TEST_CASE(the_end_comes_behind_what_was_sent_before_it, fixture)
{
    publish(0);
    send(0);
    hang_up();
    BOOST_TEST((link->read(for_ever) == result::all)); // there may be more
    BOOST_TEST((link->read(for_ever) == result::closed));
    BOOST_TEST(user->got == "0a");
}

BOOST_FIXTURE_TEST_CASE(all_that_a_dead_worker_left_is_drained, fixture)
{
    for (std::uint64_t id = 0; id != 20; ++id)
        send(id);
    publish(0);
    hang_up();
    link->drain();
    BOOST_TEST(user->got == "0abcdefghijklmnopqrst");
}

BOOST_FIXTURE_TEST_CASE(nothing_is_taken_for_one_that_does_not_listen, fixture)
{
    publish(0);
    send(0);
    user->wants_more = false;
    BOOST_TEST((link->read(for_ever) == result::all));
    link->drain();
    BOOST_TEST(user->got.empty());
}

BOOST_FIXTURE_TEST_CASE(who_knows_that_the_other_end_is_gone_is_not_told_again, fixture)
{
    hang_up();
    user->is_connected = false;
    BOOST_TEST((link->read(for_ever) == result::all));
}

BOOST_FIXTURE_TEST_CASE(a_look_at_the_ring_tells_whether_there_was_something, fixture)
{
    bool found = true;
    BOOST_TEST(link->look(for_ever, found));
    BOOST_TEST(!found);
    publish(3);
    BOOST_TEST(link->look(for_ever, found));
    BOOST_TEST(found);
    BOOST_TEST(user->got == "3");
}

BOOST_FIXTURE_TEST_CASE(behind_malformed_data_what_was_published_can_be_taken, fixture)
{
    publish(0);
    const std::string garbage(100, '?');
    BOOST_TEST_REQUIRE(::write(sockets.second.get(), garbage.data(), garbage.size()) == 100);
    BOOST_CHECK_THROW(link->read(for_ever), error);
    publish(1);
    link->take_published();
    BOOST_TEST(user->got == "01");
    publish(0, 99);
    link->take_published(); // throws nothing
}

BOOST_FIXTURE_TEST_CASE(a_wait_is_armed_while_it_is_wanted_and_keeps_its_user, fixture)
{
    link->open(asio::make_strand(asio::any_io_executor(context.get_executor())));
    link->wait(true, false, user);
    link->wait(true, false, user); // not twice
    BOOST_TEST(user.use_count() == 2);
    context.poll();
    BOOST_TEST(user->readable.empty());
    send(0);
    context.restart();
    context.run();
    BOOST_TEST_REQUIRE(user->readable.size() == 1u);
    BOOST_TEST(!user->readable[0]);
    link->wait(true, true, user);
    link->wait(false, false, user); // cancels both, or finds them complete
    context.restart();
    context.run();
    BOOST_TEST(user->readable.size() == 2u);
    BOOST_TEST(user->writable.size() == 1u);
    BOOST_TEST(!link->waits_to_write());
    BOOST_TEST(user.use_count() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
