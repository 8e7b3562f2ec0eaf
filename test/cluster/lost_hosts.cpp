// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/cluster.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "broker.hpp"
#include "run_log.hpp"

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;

int slow_task(const std::string& log, int task, int milliseconds)
{
    run_log::note(log, task);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return task;
}

int hang(const std::string& log)
{
    run_log::note(log, ::getpid());
    std::this_thread::sleep_for(1h);
    return 0;
}

struct three_agents
{
    broker server;
    run_log log;
    std::vector<started_program> agents;
    cluster_options options{.url = server.url(), .lease = 1s};

    three_agents()
    {
        for (const char* host : {"one", "two", "three"})
            agents.push_back(start_agent(server.url(), 2, {"--host", host}));
    }

    auto task() const { return partial(slow_task, log.path()); }
    /// Runs the tasks one by one, so that what a host loses is countable, and calls `disturb` when a tenth has begun.
    template <class Disturb>
    std::vector<result<int>> run_and(cluster_pool& pool, int count, const call_options& with, Disturb disturb)
    {
        const std::vector<int> times(static_cast<std::size_t>(count), 30);
        std::thread disturber([&] {
            becomes_true([&] { return log.runs().size() > static_cast<std::size_t>(count) / 10; });
            disturb();
        });
        auto results = pool.with(with).try_map(task(), numbers(count), times);
        disturber.join();
        return results;
    }
};

BOOST_FIXTURE_TEST_SUITE(test_cluster_lost_hosts, three_agents)

// C1
BOOST_AUTO_TEST_CASE(what_may_have_begun_on_a_killed_host_is_lost_and_the_rest_runs_elsewhere)
{
    cluster_pool pool(options);
    std::chrono::steady_clock::time_point killed;
    const auto results = run_and(pool, 300, {.chunk_size = 1}, [&] {
        becomes_true([&] { return pool.stats().busy == 6u; }); // those of the host that is killed among them
        agents[1].kill(SIGKILL);
        killed = std::chrono::steady_clock::now();
    });
    std::size_t lost = 0;
    for (std::size_t i = 0; i != results.size(); ++i) {
        if (results[i].has_value()) {
            BOOST_TEST(results[i].value() == static_cast<int>(i));
            continue;
        }
        ++lost;
        try {
            std::rethrow_exception(results[i].error());
        }
        catch (const host_lost& e) {
            BOOST_TEST(e.host() == "two");
            BOOST_TEST(e.task_index() == i);
        }
    }
    BOOST_TEST(lost >= 1u);
    BOOST_TEST(lost <= 4u); // two workers, and what was claimed for them
    BOOST_TEST(most_often(log.runs()) == 1u);
    BOOST_TEST_MESSAGE("C1: " << lost << " of 300 lost; over " << since(killed).count() << " ms after the kill");
}

// C1
BOOST_AUTO_TEST_CASE(who_waits_for_a_task_on_a_killed_host_is_told)
{
    options.wait_for_agents = 0s; // nothing else ends them
    cluster_pool pool(options);
    std::vector<std::future<int>> tasks;
    for (int i = 0; i != 6; ++i)
        tasks.push_back(pool.submit(hang, log.path()));
    BOOST_REQUIRE_MESSAGE(becomes_true([&] { return log.runs().size() == 6; }), log.runs().size() << " tasks began");
    for (const started_program& agent : agents)
        agent.kill(SIGKILL);
    const auto killed = std::chrono::steady_clock::now();
    for (auto& task : tasks)
        BOOST_CHECK_THROW(task.get(), host_lost);
    BOOST_TEST_MESSAGE("C1: told " << since(killed).count() << " ms after the kill, lease 1000 ms");
}

// C1
BOOST_AUTO_TEST_CASE(retries_run_what_a_killed_host_had_begun_again)
{
    cluster_pool pool(options);
    const auto results = run_and(pool, 300, {.chunk_size = 1, .retries = 2}, [&] { agents[0].kill(SIGKILL); });
    for (std::size_t i = 0; i != results.size(); ++i)
        BOOST_TEST((results[i].has_value() && results[i].value() == static_cast<int>(i)));
    BOOST_TEST(most_often(log.runs()) <= 2u);
    BOOST_TEST(pool.nodes() == 4u);
}

// C3
BOOST_AUTO_TEST_CASE(a_broker_that_is_killed_and_restarted_loses_nothing)
{
    cluster_pool pool(options);
    const auto results = run_and(pool, 300, {.chunk_size = 1}, [&] {
        server.kill();
        std::this_thread::sleep_for(300ms);
        server.start();
    });
    std::size_t failed = 0;
    for (const auto& r : results)
        failed += r.has_error();
    BOOST_TEST(failed == 0u);
    BOOST_TEST(log.runs().size() == 300u);
    BOOST_TEST(most_often(log.runs()) == 1u);
}

// What the server removed last it may have forgotten, and gives to nobody any more: the pool removes it once more.
BOOST_AUTO_TEST_CASE(a_broker_that_is_killed_keeps_nothing_that_was_answered)
{
    std::optional<cluster_pool> pool(std::in_place, options);
    const std::vector<int> times(1500, 1);
    std::thread disturber([&] {
        for (const std::size_t begun : {300u, 800u}) {
            becomes_true([&] { return log.runs().size() > begun; });
            server.kill();
            server.start();
        }
    });
    const auto results = pool->with({.chunk_size = 1}).try_map(task(), numbers(1500), times);
    disturber.join();
    BOOST_TEST(std::ranges::all_of(results, [](const auto& r) { return r.has_value(); }));
    pool.reset();
    const auto ended = std::chrono::steady_clock::now();
    // Hundreds without this. A few may be stored after the pool has ended, which could not ask for them any more.
    BOOST_TEST(becomes_true([&] { return server.messages() <= 20u; }));
    BOOST_TEST_MESSAGE("the stream was as good as empty " << since(ended).count() << " ms after the pool's end");
}

// C5
BOOST_AUTO_TEST_CASE(an_agent_that_is_told_to_leave_loses_nothing)
{
    cluster_pool pool(options);
    int status = -1;
    const auto results = run_and(pool, 300, {.chunk_size = 1}, [&] {
        agents[2].kill(SIGTERM);
        status = agents[2].wait();
    });
    for (std::size_t i = 0; i != results.size(); ++i)
        BOOST_TEST(results[i].has_value());
    BOOST_TEST(most_often(log.runs()) == 1u);
    BOOST_TEST(status == 0);
}

// C5
BOOST_AUTO_TEST_CASE(an_agent_that_joins_gets_work)
{
    cluster_pool pool(options);
    pool.start();
    const auto results = run_and(pool, 600, {.chunk_size = 1}, [&] {
        agents.push_back(start_agent(server.url(), 2, {"--host", "four"}));
    });
    BOOST_TEST(pool.nodes() == 8u);
    BOOST_TEST(most_often(log.runs()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

// C4: the parent is a program of its own, which this test kills.
struct one_agent
{
    broker server;
    run_log log;
    started_program agent = start_agent(server.url(), 2);
};

BOOST_FIXTURE_TEST_SUITE(test_cluster_lost_pools, one_agent)

BOOST_AUTO_TEST_CASE(the_tasks_of_a_pool_that_was_killed_are_stopped)
{
    started_program parent({"/proc/self/exe", "--run_test=test_cluster_helpers"}, "/dev/null",
                           {{"TEST_URL", server.url()}, {"TEST_LOG", log.path()}});
    BOOST_REQUIRE(becomes_true([&] { return log.runs().size() == 2; }));
    const std::vector<int> workers = log.runs();
    parent.kill(SIGKILL);
    const auto killed = std::chrono::steady_clock::now();
    BOOST_TEST(becomes_true(
        [&] { return std::all_of(workers.begin(), workers.end(), [](int pid) { return ::kill(pid, 0) != 0; }); }));
    BOOST_TEST_MESSAGE("C4: stopped after " << since(killed).count() << " ms, lease 1000 ms");

    // What had not begun is gone too: the agent is free for another pool, and runs nothing of the old one.
    cluster_pool pool(cluster_options{.url = server.url(), .lease = 1s});
    BOOST_TEST(pool.apply([](int x) { return x + 1; }, 1) == 2);
    std::this_thread::sleep_for(500ms);
    BOOST_TEST(log.runs().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_cluster_helpers)

// The parent in the test above.
BOOST_AUTO_TEST_CASE(parent)
{
    const char* const url = std::getenv("TEST_URL");
    const char* const log = std::getenv("TEST_LOG");
    if (!url || !log)
        return;
    cluster_pool pool(cluster_options{.url = url, .lease = 1s});
    pool.with({.chunk_size = 1}).map(hang, std::vector<std::string>(8, log));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
