// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/async_pool.hpp>
#include <twat/mp/bind_to_peer.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

struct fixture : io_context_fixture
{
    std::vector<trace_event> seen;
    async_multi_pool pool{ctx, options()};

    pool_options options()
    {
        pool_options o;
        o.nodes = 1;
        o.on_trace = [this](const trace_event& e) { seen.push_back(e); };
        return o;
    }
};

std::string echo(std::string text) { return text; }
int kill_me(int) { return ::raise(SIGKILL); }
int sleep_long(int) { return static_cast<int>(::sleep(1000)); }

} // namespace

BOOST_AUTO_TEST_SUITE(test_process_trace)

BOOST_FIXTURE_TEST_CASE(a_death_is_told_with_its_process, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        BOOST_CHECK_THROW(co_await pool.with({.label = "killer"}).apply(kill_me, 1), worker_died);
        co_await pool.apply(echo, std::string("x"));
    });
    int dead = 0;
    for (const trace_event& e : seen)
        if (e.what == trace_event::chunk_ended && e.outcome == trace_outcome::died) {
            BOOST_TEST(e.label == "killer");
            dead = e.pid;
        }
    BOOST_TEST(dead > 0);
    bool gone = false;
    int alive = 0;
    for (const trace_event& e : seen) {
        gone = gone || (e.what == trace_event::worker_gone && e.pid == dead && e.outcome == trace_outcome::died);
        if (e.what == trace_event::worker_ready)
            alive = e.pid;
    }
    BOOST_TEST(gone);
    BOOST_TEST(alive > 0);
    BOOST_TEST(alive != dead);
    const pool_stats stats = pool.stats();
    BOOST_TEST(stats.lost == 1u);
    BOOST_TEST(stats.queue_wait.count() == 2u);
    BOOST_TEST(stats.run_time.count() == 2u);
}

BOOST_FIXTURE_TEST_CASE(bytes_are_counted, fixture)
{
    const std::string text(100000, 'x');
    run_coro([&]() -> asio::awaitable<void> { co_await pool.apply(echo, text); });
    BOOST_TEST(pool.stats().bytes_sent >= text.size());
    BOOST_TEST(pool.stats().bytes_sent < text.size() + 100);
    BOOST_TEST(pool.stats().bytes_received >= text.size());
    BOOST_TEST(pool.stats().bytes_received < text.size() + 100);
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_hangs_up_costs_the_worker_that_does_not_stop, fixture)
{
    asio::local::stream_protocol::socket socket(ctx), peer(ctx);
    asio::local::connect_pair(socket, peer);
    run_coro([&]() -> asio::awaitable<void> {
        co_await pool.start();
        asio::steady_timer soon(ctx, 50ms);
        soon.async_wait([&](boost::system::error_code) { peer.close(); });
        try {
            co_await pool.apply(sleep_long, 1, bind_to_peer(socket));
            BOOST_ERROR("it was not cancelled");
        }
        catch (const boost::system::system_error& e) {
            BOOST_TEST((e.code() == asio::error::operation_aborted));
        }
        BOOST_TEST((co_await pool.apply(echo, std::string("after"))) == "after"); // by the next worker
    });
    BOOST_TEST(pool.stats().restarts == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
