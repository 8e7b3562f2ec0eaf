// SPDX-License-Identifier: BSL-1.0
// Pools whose workers are replaced now and then.
#include <twat/mp/multi_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sanitizers.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int pid_of(int) { return ::getpid(); }

int sleep_a_little(int)
{
    std::this_thread::sleep_for(10ms);
    return ::getpid();
}

int grow(int)
{
    static std::vector<std::string> kept;
    kept.emplace_back(std::size_t(20) << 20, 'x');
    std::this_thread::sleep_for(2ms);
    return ::getpid();
}

std::size_t resident_bytes()
{
    std::size_t total = 0, resident = 0, shared = 0;
    std::ifstream("/proc/self/statm") >> total >> resident >> shared;
    return (resident - shared) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

std::map<int, std::size_t> count(const std::vector<int>& pids)
{
    std::map<int, std::size_t> counts;
    for (const int pid : pids)
        ++counts[pid];
    return counts;
}

/// Workers that are ready at each moment, and how few they have been since all were.
class watcher
{
public:
    explicit watcher(std::size_t nodes) : nodes_(nodes), fewest_(nodes) {}

    void operator()(const pool_event& event)
    {
        std::lock_guard lock(mutex_);
        if (event.what == pool_event::worker_ready)
            ++ready_;
        else if (event.what != pool_event::worker_started)
            --ready_;
        full_ = full_ || ready_ >= nodes_;
        if (full_)
            fewest_ = std::min(fewest_, ready_);
    }
    std::size_t fewest() const
    {
        std::lock_guard lock(mutex_);
        return fewest_;
    }

private:
    mutable std::mutex mutex_;
    std::size_t nodes_, ready_ = 0, fewest_;
    bool full_ = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_recycling)

BOOST_AUTO_TEST_CASE(one_task_for_each_worker)
{
    pool_options options;
    options.nodes = 2;
    options.max_tasks_per_child = 1;
    process_pool pool(options);
    const auto pids = pool.map(pid_of, numbers(50));
    BOOST_TEST(std::set<int>(pids.begin(), pids.end()).size() == 50u);
    BOOST_TEST(pool.stats().died == 0u);
    BOOST_TEST(pool.stats().failed == 0u);
}

BOOST_AUTO_TEST_CASE(no_worker_runs_more_than_its_share_and_they_leave_one_after_another)
{
    watcher watch(3);
    pool_options options;
    options.nodes = 3;
    options.max_tasks_per_child = 40;
    options.recycle_jitter = 0.5;
    options.on_event = std::ref(watch);
    process_pool pool(options);
    pool.start();
    const auto counts = count(pool.map(sleep_a_little, numbers(600)));
    BOOST_TEST(counts.size() >= 15u);
    for (const auto& [pid, tasks] : counts)
        BOOST_TEST(tasks <= 40u);
    BOOST_TEST(watch.fewest() >= 2u);
    BOOST_TEST(pool.stats().recycled >= 12u);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_AUTO_TEST_CASE(workers_that_grow_are_replaced)
{
    watcher watch(2);
    pool_options options;
    options.nodes = 2;
    options.max_rss_per_child = process_pool(1).apply(resident_bytes) + (100 << 20);
    options.on_event = std::ref(watch);
    process_pool pool(options);
    pool.start();
    // A worker leaves when the one before it has been replaced: how many leave within some tasks depends on how fast workers start.
    std::set<int> pids;
    for (int tasks = 0; pids.size() < 4 && tasks < 1000; tasks += 20)
        for (const int pid : pool.with({.chunk_size = 1}).map(grow, numbers(20)))
            pids.insert(pid);
    BOOST_TEST(pids.size() >= 4u);
    BOOST_TEST(watch.fewest() >= 1u);
    BOOST_TEST(pool.stats().died == 0u);
}

#if !TWAT_MP_TEST_ASAN && !TWAT_MP_TEST_TSAN // which keep what was freed
BOOST_AUTO_TEST_CASE(what_values_travel_in_is_not_the_worker_s_size)
{
    pool_options options;
    options.nodes = 1;
    options.max_rss_per_child = process_pool(1).apply(resident_bytes) + (150 << 20);
    process_pool pool(options);
    const std::string text(std::size_t(60) << 20, 'x');
    const auto echo = [](std::string value) { return value; };
    for (int i = 0; i < 6; ++i)
        BOOST_TEST((pool.apply(echo, text) == text));
    BOOST_TEST(pool.stats().recycled == 0u);
}
#endif

BOOST_AUTO_TEST_CASE(workers_that_are_old_are_replaced)
{
    watcher watch(2);
    pool_options options;
    options.nodes = 2;
    options.max_age_per_child = 50ms;
    options.on_event = std::ref(watch);
    process_pool pool(options);
    pool.start();
    std::set<int> pids;
    while (pids.size() < 6)
        for (const int pid : pool.map(sleep_a_little, numbers(20)))
            pids.insert(pid);
    BOOST_TEST(watch.fewest() >= 1u);
    BOOST_TEST(pool.stats().recycled >= 4u);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_AUTO_TEST_CASE(workers_grow_old_while_nothing_is_outstanding)
{
    pool_options options;
    options.nodes = 1;
    options.max_age_per_child = 1ms;
    process_pool pool(options);
    pool.start();
    const int first = pool.apply(pid_of, 0);
    std::this_thread::sleep_for(20ms);
    BOOST_TEST(pool.stats().recycled == 0u); // an idle pool does nothing
    while (pool.apply(pid_of, 0) == first) {
    }
}

BOOST_AUTO_TEST_SUITE_END()
