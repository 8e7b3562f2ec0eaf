// SPDX-License-Identifier: BSL-1.0
// C10: two pools share the agents.
#include <twat/mp/cluster.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "broker.hpp"
#include "run_log.hpp"

namespace twat::mp::test {
namespace {

int wait_a_little(int x)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return x;
}

/// When it began and ended. Agents of these tests have one clock.
std::pair<std::int64_t, std::int64_t> stay(int)
{
    const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
    const std::int64_t begin = now();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return {begin, now()};
}

BOOST_AUTO_TEST_SUITE(test_cluster_shared_agents)

BOOST_AUTO_TEST_CASE(an_agent_makes_use_of_all_its_workers)
{
    const broker server;
    const started_program agent = start_agent(server.url(), 2);
    cluster_pool pool(cluster_options{.url = server.url()});
    pool.apply(stay, 0); // one of them is there already
    auto stays = pool.with({.chunk_size = 1}).map(stay, numbers(300));
    std::sort(stays.begin(), stays.end());
    std::size_t together = 0;
    for (std::size_t i = 1; i != stays.size(); ++i)
        together += stays[i].first < stays[i - 1].second;
    BOOST_TEST(together > stays.size() / 4); // none if it used one
}

BOOST_AUTO_TEST_CASE(neither_of_two_pools_waits_for_the_whole_map_of_the_other)
{
    const broker server;
    const started_program first = start_agent(server.url(), 2);
    const started_program second = start_agent(server.url(), 2);
    const cluster_options options{.url = server.url()};
    cluster_pool busy(options), quick(options);
    busy.start();
    quick.start();

    constexpr int tasks = 600;
    std::atomic<int> done{0};
    std::thread other([&] {
        for ([[maybe_unused]] const int x : busy.uimap(wait_a_little, numbers(tasks)))
            ++done;
    });
    BOOST_REQUIRE(becomes_true([&] { return done > 8; }));
    const int before = done;
    std::vector<std::chrono::milliseconds> times;
    for (int i = 0; i != 10; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        BOOST_TEST(quick.apply(wait_a_little, i) == i);
        times.push_back(since(begin));
    }
    const int after = done;
    other.join();
    BOOST_TEST(done == tasks);
    BOOST_TEST(after < tasks); // it did not wait for the whole
    std::sort(times.begin(), times.end());
    BOOST_TEST_MESSAGE("C10: calls of 20 ms took " << times[5].count() << " ms in the middle, " << times.back().count()
                                                   << " at most, beside a map of " << tasks << " such tasks, of which "
                                                   << after - before << " ended meanwhile");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
