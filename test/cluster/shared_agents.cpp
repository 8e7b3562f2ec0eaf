// SPDX-License-Identifier: BSL-1.0
// C10: two pools share the agents.
#include <twat/mp/cluster.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
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

BOOST_AUTO_TEST_SUITE(test_cluster_shared_agents)

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
