// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/bind_to_peer.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/worker.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

struct fixture : io_context_fixture
{
    asio::local::stream_protocol::socket socket{ctx}, peer{ctx};
    asio::steady_timer never{ctx, 1h};
    std::optional<error_code> ended;

    fixture() { asio::local::connect_pair(socket, peer); }
    auto note()
    {
        return [this](error_code ec) { ended = ec; };
    }
};

/// Waits until it is told to stop.
bool wait_for_stop(int)
{
    const auto stop = this_task::stop_token();
    while (!stop.stop_requested())
        std::this_thread::sleep_for(1ms);
    return true;
}

int twice(int x) { return 2 * x; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_bind_to_peer)

BOOST_FIXTURE_TEST_CASE(a_hang_up_cancels_the_operation, fixture)
{
    never.async_wait(bind_to_peer(socket, note()));
    asio::post(ctx, [&] { peer.close(); });
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(a_hang_up_before_the_operation_cancels_it_too, fixture)
{
    peer.close();
    never.async_wait(bind_to_peer(socket, note()));
    BOOST_TEST(!ended);
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(a_socket_that_is_not_open_counts_as_hung_up, fixture)
{
    socket.close();
    never.async_wait(bind_to_peer(socket, note()));
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(what_the_peer_sent_is_still_there, fixture)
{
    asio::write(peer, asio::buffer("next request", 12));
    asio::steady_timer soon(ctx, 20ms);
    soon.async_wait(bind_to_peer(socket, note())); // bytes are no hang-up
    run();
    BOOST_TEST((ended == error_code()));

    asio::write(peer, asio::buffer(", and one more", 14));
    peer.close();
    never.async_wait(bind_to_peer(socket, note())); // and do not hide one
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
    std::string bytes;
    error_code ec;
    asio::read(socket, asio::dynamic_buffer(bytes), ec);
    BOOST_TEST((ec == asio::error::eof));
    BOOST_TEST(bytes == "next request, and one more");
}

BOOST_FIXTURE_TEST_CASE(an_event_of_a_descriptor_that_was_closed_is_no_hang_up, fixture)
{
    // Both are ready in one turn of the loop. The first handler closes the second descriptor while that one's event is queued, and the watch gets
    // the state that Asio kept for it.
    asio::local::stream_protocol::socket first(ctx), first_peer(ctx), second(ctx), second_peer(ctx);
    asio::local::connect_pair(first, first_peer);
    asio::local::connect_pair(second, second_peer);
    asio::steady_timer soon(ctx, 20ms);
    first.async_wait(asio::socket_base::wait_read, [&](error_code) {
        second.close();
        soon.async_wait(bind_to_peer(socket, note()));
    });
    second.async_wait(asio::socket_base::wait_read, [](error_code) {});
    asio::write(first_peer, asio::buffer("1", 1));
    asio::write(second_peer, asio::buffer("2", 1));
    run();
    BOOST_TEST((ended == error_code()));
}

BOOST_FIXTURE_TEST_CASE(a_hang_up_behind_such_an_event_is_noticed, fixture)
{
    asio::local::stream_protocol::socket first(ctx), first_peer(ctx), second(ctx), second_peer(ctx);
    asio::local::connect_pair(first, first_peer);
    asio::local::connect_pair(second, second_peer);
    asio::steady_timer later(ctx, 10ms);
    first.async_wait(asio::socket_base::wait_read, [&](error_code) {
        second.close();
        never.async_wait(bind_to_peer(socket, note()));
        later.async_wait([&](error_code) {
            BOOST_TEST(!ended);
            peer.close();
        });
    });
    second.async_wait(asio::socket_base::wait_read, [](error_code) {});
    asio::write(first_peer, asio::buffer("1", 1));
    asio::write(second_peer, asio::buffer("2", 1));
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(a_limit_of_the_system_is_no_hang_up, fixture)
{
    // A regular file cannot be watched, as a socket cannot when the user has no watches left.
    struct file_as_socket
    {
        asio::any_io_executor executor;
        int file;
        asio::any_io_executor get_executor() const { return executor; }
        int native_handle() const { return file; }
    };
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    file_as_socket unwatched{ctx.get_executor(), file};
    asio::steady_timer soon(ctx, 1ms);
    soon.async_wait(bind_to_peer(unwatched, note()));
    run();
    BOOST_TEST((ended == error_code()));
    ::close(file);
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_shuts_down_its_sending_half_counts_as_hung_up_by_default, fixture)
{
    never.async_wait(bind_to_peer(socket, note()));
    asio::post(ctx, [&] { peer.shutdown(asio::socket_base::shutdown_send); });
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(with_reset_only_a_peer_that_shuts_down_its_sending_half_gets_its_answer, fixture)
{
    asio::ip::tcp::acceptor acceptor(ctx, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(ctx), server(ctx);
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
    client.shutdown(asio::socket_base::shutdown_send);
    asio::steady_timer soon(ctx, 20ms);
    soon.async_wait(bind_to_peer(server, note(), peer_hangup::reset_only));
    run();
    BOOST_TEST((ended == error_code()));

    never.async_wait(bind_to_peer(server, note(), peer_hangup::reset_only));
    asio::post(ctx, [&] {
        client.set_option(asio::socket_base::linger(true, 0));
        client.close();
    });
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(with_reset_only_a_local_peer_that_closes_counts_as_hung_up, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        peer.shutdown(asio::socket_base::shutdown_send);
        asio::steady_timer soon(ctx, 20ms);
        co_await soon.async_wait(bind_to_peer(socket, peer_hangup::reset_only));
        asio::post(ctx, [&] { peer.close(); });
        auto [ec] = co_await never.async_wait(
            bind_to_peer(socket, asio::as_tuple(asio::use_awaitable), peer_hangup::reset_only));
        BOOST_TEST((ec == asio::error::operation_aborted));
    });
}

BOOST_FIXTURE_TEST_CASE(nothing_is_outstanding_when_the_operation_is_over, fixture)
{
    asio::steady_timer soon(ctx, 1ms);
    soon.async_wait(bind_to_peer(socket, note()));
    run(); // fails if the watch keeps the context from running out of work
    BOOST_TEST((ended == error_code()));
}

BOOST_FIXTURE_TEST_CASE(the_slot_of_the_token_works_as_well, fixture)
{
    asio::cancellation_signal signal;
    never.async_wait(bind_to_peer(socket, asio::bind_cancellation_slot(signal.slot(), note())));
    asio::post(ctx, [&] { signal.emit(asio::cancellation_type::total); });
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
    signal.emit(asio::cancellation_type::terminal); // cleared: reaches nobody

    ended.reset();
    never.expires_after(1h);
    never.async_wait(bind_to_peer(socket, asio::bind_cancellation_slot(signal.slot(), note())));
    asio::post(ctx, [&] { peer.close(); });
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(the_handler_keeps_its_executor, fixture)
{
    auto strand = asio::make_strand(ctx);
    bool inside = false;
    never.async_wait(bind_to_peer(
        socket, asio::bind_executor(strand, [&](error_code) { inside = strand.running_in_this_thread(); })));
    asio::post(ctx, [&] { peer.close(); });
    run();
    BOOST_TEST(inside);
}

BOOST_FIXTURE_TEST_CASE(works_on_tcp, fixture)
{
    asio::ip::tcp::acceptor acceptor(ctx, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(ctx), server(ctx);
    client.connect(acceptor.local_endpoint());
    acceptor.accept(server);
    never.async_wait(bind_to_peer(server, note()));
    asio::post(ctx, [&] {
        client.set_option(asio::socket_base::linger(true, 0));
        client.close(); // resets
    });
    run();
    BOOST_TEST((ended == asio::error::operation_aborted));
}

BOOST_FIXTURE_TEST_CASE(works_with_awaitables, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        asio::steady_timer soon(ctx, 1ms);
        co_await soon.async_wait(bind_to_peer(socket));
        asio::post(ctx, [&] { peer.close(); });
        auto [ec] = co_await never.async_wait(bind_to_peer(socket, asio::as_tuple(asio::use_awaitable)));
        BOOST_TEST((ec == asio::error::operation_aborted));
    });
}

BOOST_FIXTURE_TEST_CASE(works_with_futures, fixture)
{
    asio::steady_timer soon(ctx, 1ms);
    auto fetched = soon.async_wait(bind_to_peer(socket, asio::use_future));
    auto cancelled = never.async_wait(bind_to_peer(peer, asio::use_future));
    soon.async_wait([&](error_code) { socket.close(); });
    run();
    BOOST_CHECK_NO_THROW(fetched.get());
    BOOST_CHECK_THROW(cancelled.get(), boost::system::system_error);
}

BOOST_FIXTURE_TEST_CASE(a_pools_running_task_is_stopped, fixture)
{
    async_thread_pool pool(ctx, 1);
    run_coro([&]() -> asio::awaitable<void> {
        BOOST_TEST((co_await pool.apply(twice, 21, bind_to_peer(socket))) == 42);
        asio::steady_timer later(ctx, 20ms);
        later.async_wait([&](error_code) { peer.close(); });
        try {
            co_await pool.apply(wait_for_stop, 1, bind_to_peer(socket, asio::use_awaitable));
            BOOST_ERROR("it was not cancelled");
        }
        catch (const boost::system::system_error& e) {
            BOOST_TEST((e.code() == asio::error::operation_aborted));
        }
    });
    auto future = pool.apply(wait_for_stop, 4, bind_to_peer(peer, asio::use_future));
    run();
    BOOST_CHECK_THROW(future.get(), boost::system::system_error); // `peer` is closed
}

BOOST_FIXTURE_TEST_CASE(a_context_that_goes_away_meanwhile_takes_it_along, fixture)
{
    // The handler owns what is watched, as that of a server's connection does.
    auto other = std::make_unique<asio::io_context>();
    auto mine = std::make_shared<asio::local::stream_protocol::socket>(*other);
    auto theirs = std::make_shared<asio::local::stream_protocol::socket>(*other);
    asio::local::connect_pair(*mine, *theirs);
    auto timer = std::make_shared<asio::steady_timer>(*other, 1h);
    auto handler = [mine, theirs, timer](error_code) { BOOST_ERROR("was called"); };
    timer->async_wait(bind_to_peer(*mine, std::move(handler)));
    other->poll();
    mine.reset();
    theirs.reset();
    timer.reset();
    other.reset();
}

BOOST_AUTO_TEST_SUITE_END()
