// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/cluster.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker_died.hpp>

#include "broker.hpp"

namespace twat::mp::test {
namespace {

int square(int x) { return static_cast<int>(static_cast<unsigned>(x) * static_cast<unsigned>(x)); }

int fail_at_five(int x)
{
    if (x == 5)
        throw std::out_of_range("five");
    return x;
}

int crash_at_three(int x)
{
    if (x == 3)
        ::raise(SIGKILL);
    return x;
}

asio::awaitable<int> slow_double(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(20));
    co_await timer.async_wait(asio::use_awaitable);
    co_return 2 * x;
}

asio::awaitable<bool> later_odd(int x)
{
    const int doubled = co_await slow_double(x);
    co_return doubled % 4 != 0;
}

double inverse(int x) { return 1.0 / (x + 1); }

int sleep_and_square(int x)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return x * x;
}

std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

std::string echo(const std::string& text) { return text; }

int the_answer = 0;
void set_answer(int value) { the_answer = value; }
int get_answer() { return the_answer; }

/// A broker and two agents of two workers.
struct two_agents
{
    broker server;
    started_program first = start_agent(server.url(), 2, {"--host", "first"});
    started_program second = start_agent(server.url(), 2, {"--host", "second"});
    cluster_options options{.url = server.url()};
};

BOOST_FIXTURE_TEST_SUITE(test_cluster_verbs, two_agents)

BOOST_AUTO_TEST_CASE(agents_run_a_call)
{
    cluster_pool pool(options);
    BOOST_TEST(pool.apply(square, 7) == 49);
    BOOST_TEST(pool.apply(echo, "text") == "text");
}

BOOST_AUTO_TEST_CASE(map_keeps_the_order_and_runs_on_all_of_them)
{
    cluster_pool pool(options);
    const std::vector<int> squares = pool.map(sleep_and_square, numbers(400));
    BOOST_REQUIRE(squares.size() == 400u);
    for (int i = 0; i < 400; ++i)
        BOOST_TEST(squares[static_cast<std::size_t>(i)] == i * i);
    BOOST_TEST(pool.nodes() == 4u);
    BOOST_TEST(pool.stats().ready == 4u);
    const std::vector<int> pids = pool.with({.chunk_size = 1})
                                      .map(
                                          [](int) {
                                              std::this_thread::sleep_for(std::chrono::milliseconds(20));
                                              return ::getpid();
                                          },
                                          numbers(40));
    BOOST_TEST(std::set<int>(pids.begin(), pids.end()).size() >= 3u);
}

BOOST_AUTO_TEST_CASE(traces_and_statistics_tell_which_host_runs_what)
{
    std::mutex mutex;
    std::map<std::uint64_t, std::string> begun;
    std::set<std::string> hosts;
    std::size_t wrong = 0;
    options.on_trace = [&](const trace_event& event) {
        std::lock_guard lock(mutex);
        if (event.what != trace_event::chunk_begun && event.what != trace_event::chunk_ended)
            return;
        const std::string host = event.host ? event.host : "none";
        if (event.what == trace_event::chunk_begun)
            wrong += !begun.emplace(event.chunk, host).second;
        else
            wrong += begun[event.chunk] != host;
        hosts.insert(host);
    };
    const auto hosts_seen = [&] {
        std::lock_guard lock(mutex);
        return hosts.size();
    };
    cluster_pool pool(options);
    // both may be slow to come, or one have taken all
    for (int i = 0; i < 100 && (pool.stats().hosts.size() < 2 || hosts_seen() < 2); ++i)
        pool.with({.chunk_size = 1}).map(sleep_and_square, numbers(40));
    BOOST_TEST((pool.stats().hosts == std::vector<host_stats>{{"first", 2}, {"second", 2}}));
    pool.close();
    pool.join();
    BOOST_TEST((hosts == std::set<std::string>{"first", "second"}));
    BOOST_TEST(begun.size() >= 40u);
    BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(many_small_tasks)
{
    cluster_pool pool(options);
    const std::vector<int> squares = pool.map(square, numbers(200'000));
    BOOST_REQUIRE(squares.size() == 200'000u);
    for (int i = 0; i < 40'000; ++i)
        BOOST_REQUIRE(squares[static_cast<std::size_t>(i)] == square(i));
}

BOOST_AUTO_TEST_CASE(streams)
{
    cluster_pool pool(options);
    int expected = 0;
    for (const int x : pool.imap(square, numbers(500))) {
        BOOST_REQUIRE(x == expected * expected);
        ++expected;
    }
    BOOST_TEST(expected == 500);
    long sum = 0;
    for (const int x : pool.uimap(square, numbers(100)))
        sum += x;
    BOOST_TEST(sum == 328350);
}

BOOST_AUTO_TEST_CASE(ranges_are_folded_there)
{
    cluster_pool pool(options);
    const auto inputs = numbers(1000);
    BOOST_TEST(pool.reduce(square, std::plus<>(), 0, inputs) == 332833500);
    BOOST_TEST(pool.reduce(slow_double, std::plus<>(), 0, inputs) == 999000);
    BOOST_TEST(pool.filter(later_odd, numbers(100)).size() == 50u);
    BOOST_TEST(pool.with({.deterministic = true}).reduce(inverse, std::plus<>(), 0.0, inputs) > 7.0);
}

BOOST_AUTO_TEST_CASE(exceptions_arrive_with_their_type_and_index)
{
    cluster_pool pool(options);
    try {
        pool.map(fail_at_five, numbers(10));
        BOOST_ERROR("no exception");
    }
    catch (const std::out_of_range& e) {
        BOOST_TEST(std::string(e.what()).find("five") != std::string::npos);
    }
    const auto results = pool.try_map(fail_at_five, numbers(10));
    BOOST_TEST(results[5].has_error());
    BOOST_TEST(task_index(results[5].error()).value() == 5u);
    BOOST_TEST(results[9].value() == 9);
}

BOOST_AUTO_TEST_CASE(a_crash_costs_its_task_and_names_the_host)
{
    cluster_pool pool(options);
    const auto results = pool.try_map(crash_at_three, numbers(20));
    for (std::size_t i = 0; i != 20; ++i)
        BOOST_TEST(results[i].has_error() == (i == 3));
    try {
        std::rethrow_exception(results[3].error());
    }
    catch (const worker_died& e) {
        BOOST_TEST(e.signal() == SIGKILL);
        BOOST_TEST(e.task_index() == 3u);
        const std::string what = e.what();
        BOOST_TEST((what.find("(on first)") != std::string::npos || what.find("(on second)") != std::string::npos),
                   what);
    }
}

BOOST_AUTO_TEST_CASE(coroutines)
{
    asio::io_context context;
    async_cluster_pool pool(context, options);
    const std::vector<int> inputs = numbers(200);
    std::vector<int> doubles;
    asio::co_spawn(
        context, [&]() -> asio::awaitable<void> { doubles = co_await pool.map(slow_double, inputs); },
        [](std::exception_ptr e) { BOOST_TEST(!e); });
    context.run(); // returns: an idle pool is no work
    BOOST_REQUIRE(doubles.size() == 200u);
    BOOST_TEST(doubles[199] == 398);
}

BOOST_AUTO_TEST_CASE(values_larger_than_a_message_travel_in_parts)
{
    cluster_pool pool(options);
    const std::string large(5'000'000, 'x');
    BOOST_TEST((pool.apply(echo, large) == large));
    const std::vector<std::string> several(6, std::string(1'500'000, 'y'));
    BOOST_TEST((pool.map(echo, several) == several));
}

BOOST_AUTO_TEST_CASE(initializers_run_in_every_worker)
{
    options.initializer = task(set_answer, 42);
    cluster_pool pool(options);
    for (const int answer : pool.map([](int) { return get_answer(); }, numbers(50)))
        BOOST_TEST(answer == 42);
    cluster_pool other(cluster_options{.url = server.url()});
    BOOST_TEST(other.apply(get_answer) == 0);
}

BOOST_AUTO_TEST_CASE(a_timeout_and_a_cancellation_end_what_runs)
{
    cluster_pool pool(options);
    const auto sleep_for_ever = [] {
        std::this_thread::sleep_for(std::chrono::hours(1));
        return 1;
    };
    try {
        pool.with({.timeout = std::chrono::milliseconds(100)}).apply(sleep_for_ever);
        BOOST_ERROR("no exception");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::task_timed_out), e.what());
    }
    try {
        pool.with({.deadline = std::chrono::milliseconds(300)}).apply(sleep_for_ever);
        BOOST_ERROR("no exception");
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::deadline_exceeded), e.what());
    }
    BOOST_TEST(pool.map(square, numbers(100)).size() == 100u); // the workers are free again
}

BOOST_AUTO_TEST_CASE(a_closed_pool_can_be_joined)
{
    cluster_pool pool(options);
    auto later = pool.submit(square, 3);
    pool.close();
    pool.join();
    BOOST_TEST(later.get() == 9);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
