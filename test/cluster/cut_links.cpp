// SPDX-License-Identifier: BSL-1.0
// C2: the link of a host is cut, and comes back.
#include <twat/mp/cluster.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "broker.hpp"
#include "cut_link.hpp"
#include "run_log.hpp"

namespace twat::mp::test {
namespace {

using namespace std::chrono_literals;

std::string host_of_task(const std::string& log, int task, int milliseconds)
{
    run_log::note(log, task);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    const char* const host = std::getenv("TEST_HOST");
    return host ? host : "";
}

struct a_link_to_cut
{
    broker server;
    cut_link link{server.port()};
    run_log log;
    started_program near = start_agent_on("near", server.url(), 2);
    started_program far = start_agent_on("far", link.url(), 2);
    cluster_options options{.url = server.url(), .lease = 1s};

    std::vector<result<std::string>> run(cluster_pool& pool, int count, int milliseconds)
    {
        return pool.with({.chunk_size = 1})
            .try_map(partial(host_of_task, log.path()), numbers(count),
                     std::vector<int>(static_cast<std::size_t>(count), milliseconds));
    }
    static std::size_t count_on(const std::string& host, const std::vector<result<std::string>>& results)
    {
        return static_cast<std::size_t>(std::count_if(
            results.begin(), results.end(), [&](const auto& r) { return r.has_value() && r.value() == host; }));
    }
    void wait_for_both(cluster_pool& pool)
    {
        BOOST_REQUIRE(becomes_true([&] {
            const auto results = run(pool, 8, 10);
            return count_on("near", results) != 0 && count_on("far", results) != 0;
        }));
    }
    void check_that_it_serves_again(cluster_pool& pool)
    {
        link.mend();
        const auto mended = std::chrono::steady_clock::now();
        BOOST_TEST(becomes_true([&] { return count_on("far", run(pool, 8, 10)) != 0; }));
        BOOST_TEST_MESSAGE("C2: serves again " << since(mended).count() << " ms after the link came back");
    }
};

BOOST_FIXTURE_TEST_SUITE(test_cluster_cut_links, a_link_to_cut)

BOOST_AUTO_TEST_CASE(a_busy_host_whose_link_is_cut_is_lost_and_serves_again_later)
{
    cluster_pool pool(options);
    wait_for_both(pool);
    const run_log counted;
    std::chrono::steady_clock::time_point cut;
    std::thread cutter([&] {
        becomes_true([&] { return counted.runs().size() > 20; });
        link.cut();
        cut = std::chrono::steady_clock::now();
    });
    const auto results = pool.with({.chunk_size = 1})
                             .try_map(partial(host_of_task, counted.path()), numbers(200), std::vector<int>(200, 20));
    cutter.join();
    BOOST_TEST_MESSAGE("C2: the map ended " << since(cut).count() << " ms after the cut, lease 1000 ms");
    std::size_t lost = 0;
    for (const auto& r : results) {
        if (r.has_value())
            continue;
        ++lost;
        try {
            std::rethrow_exception(r.error());
        }
        catch (const host_lost& e) {
            BOOST_TEST(e.host() == "far");
        }
    }
    BOOST_TEST(lost <= 4u); // two workers, and what was claimed for them
    check_that_it_serves_again(pool);
    // Outcomes that were on their way when the link was cut have arrived by now, and nobody took them for others.
    const auto after = run(pool, 40, 1);
    BOOST_TEST(count_on("near", after) + count_on("far", after) == 40u);
    BOOST_TEST(most_often(counted.runs()) == 1u);
}

BOOST_AUTO_TEST_CASE(an_idle_host_whose_link_is_cut_costs_no_task)
{
    cluster_pool pool(options);
    wait_for_both(pool);
    link.cut();
    const auto results = run(pool, 20, 10);
    BOOST_TEST(count_on("near", results) == 20u);
    BOOST_TEST(count_on("far", results) == 0u);
    check_that_it_serves_again(pool);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace twat::mp::test
