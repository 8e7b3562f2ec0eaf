// SPDX-License-Identifier: BSL-1.0
// C12: the loop of the parent is not held up.
#include <twat/mp/cluster.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "broker.hpp"
#include "cut_link.hpp"
#include "run_log.hpp"

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

int ten_milliseconds(int x)
{
    std::this_thread::sleep_for(10ms);
    return x;
}

/// Runs a context with a timer of 1 ms until `work` has ended. @return By how much each was late.
std::vector<microseconds> lateness_beside(const std::function<asio::awaitable<void>(asio::io_context&)>& work)
{
    asio::io_context context{1};
    asio::steady_timer timer(context);
    std::vector<microseconds> late;
    bool ended = false;
    std::exception_ptr error;
    std::function<void()> tick = [&] {
        timer.expires_after(1ms);
        timer.async_wait([&](boost::system::error_code) {
            late.push_back(std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - timer.expiry()));
            if (!ended)
                tick();
        });
    };
    tick();
    asio::co_spawn(context, work(context), [&](std::exception_ptr e) {
        error = e;
        ended = true;
    });
    context.run();
    if (error)
        std::rethrow_exception(error);
    std::sort(late.begin(), late.end());
    return late;
}

std::string describe(const std::vector<microseconds>& late)
{
    const auto at = [&](std::size_t percent) {
        return std::to_string(late[(late.size() - 1) * percent / 100].count());
    };
    return "late by " + at(50) + " us in the middle, p99 " + at(99) + ", at most " + at(100) + " (" +
           std::to_string(late.size()) + " timers)";
}

template <class Pool, class Options>
asio::awaitable<void> run_map(asio::io_context& context, const Options& options)
{
    Pool pool(context, options);
    const std::vector<int> inputs = numbers(400);
    const std::vector<int> results = co_await pool.map(ten_milliseconds, inputs);
    BOOST_TEST((results == inputs));
}

BOOST_AUTO_TEST_SUITE(test_cluster_loop_lateness)

BOOST_AUTO_TEST_CASE(a_timer_beside_a_cluster_pool_is_late_as_beside_a_local_one)
{
    const broker server;
    const started_program agent = start_agent(server.url(), 2);
    const cluster_options cluster{.url = server.url()};
    pool_options local;
    local.nodes = 2;
    const auto beside_cluster =
        lateness_beside([&](asio::io_context& context) { return run_map<async_cluster_pool>(context, cluster); });
    const auto beside_local =
        lateness_beside([&](asio::io_context& context) { return run_map<async_multi_pool>(context, local); });
    BOOST_TEST_MESSAGE("C12: beside a cluster pool " << describe(beside_cluster));
    BOOST_TEST_MESSAGE("C12: beside a local pool   " << describe(beside_local));
    BOOST_TEST(!beside_cluster.empty()); // how late is for a human to judge: a busy machine adds what it likes
}

BOOST_AUTO_TEST_CASE(a_broker_that_does_not_answer_does_not_hold_up_the_loop)
{
    const broker server;
    cut_link link(server.port());
    link.cut(); // connecting takes its time limit of two seconds
    const cluster_options options{.url = link.url()};
    const auto late = lateness_beside([&](asio::io_context& context) -> asio::awaitable<void> {
        async_cluster_pool pool(context, options);
        try {
            co_await pool.apply(ten_milliseconds, 1);
            BOOST_ERROR("no exception");
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::broker_failed), e.what());
        }
    });
    BOOST_TEST_MESSAGE("C12: beside a broker that does not answer " << describe(late));
    BOOST_TEST(late.size() > 10u); // a loop that were held up would have seen one or two
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
