// SPDX-License-Identifier: BSL-1.0
// call_options::hedge_after: late tasks have a second run, and the first answer wins.
#include "blocking_pools.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>

#include <unistd.h>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/hedge.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

/// A folder in which the runs of tasks are noted.
struct folder
{
    folder() : path(std::filesystem::temp_directory_path() / ("twat_mp_hedge_" + std::to_string(::getpid())))
    {
        std::filesystem::remove_all(path);
        std::filesystem::create_directory(path);
    }
    ~folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;

    std::string text() const { return path.string(); }
    int runs(int task) const
    {
        int n = 0;
        while (std::filesystem::exists(path / (std::to_string(task) + "_" + std::to_string(n + 1))))
            ++n;
        return n;
    }
};

/// Notes a run. Returns which of the task's it is, from 1.
int note_run(const std::string& path, int task)
{
    int run = 1;
    while (!std::filesystem::create_directory(path + "/" + std::to_string(task) + "_" + std::to_string(run)))
        ++run;
    return run;
}

void wait_until_stopped()
{
    while (!this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
}

/// The first run of task 7 is stuck until somebody asks it to stop.
int stuck_once(const std::string& path, int task)
{
    const int run = note_run(path, task);
    if (task == 7 && run == 1)
        wait_until_stopped();
    return 100 * run + task;
}

asio::awaitable<int> stuck_once_later(std::string path, int task)
{
    const int run = note_run(path, task);
    if (task == 7 && run == 1) {
        asio::steady_timer never(co_await asio::this_coro::executor, 24h);
        co_await never.async_wait(asio::use_awaitable);
    }
    co_return 100 * run + task;
}

/// The first run never ends.
int deaf_once(const std::string& path, int task)
{
    const int run = note_run(path, task);
    while (run == 1)
        std::this_thread::sleep_for(1ms);
    return run;
}

/// The first run dies once there is a second one, which goes on until then.
int dies_in_the_first_run(const std::string& path, int task)
{
    if (note_run(path, task) == 1) {
        std::ofstream(path + "/new") << ::getpid();
        std::filesystem::rename(path + "/new", path + "/pid");
        while (!std::filesystem::exists(path + "/second"))
            std::this_thread::sleep_for(1ms);
        ::_exit(3);
    }
    while (!std::filesystem::exists(path + "/pid"))
        std::this_thread::sleep_for(1ms);
    std::ofstream(path + "/second") << "x";
    int pid = 0;
    std::ifstream(path + "/pid") >> pid;
    while (::kill(pid, 0) == 0)
        std::this_thread::sleep_for(1ms);
    return task;
}

int stuck_for_ever(const std::string& path, int task)
{
    note_run(path, task);
    wait_until_stopped();
    return task;
}

/// The counts of a pool, which may come a moment after the results.
template <class Pool>
pool_stats settled(const Pool& pool, std::size_t tasks)
{
    pool_stats stats = pool.stats();
    for (int i = 0; i != 60'000 && stats.done + stats.failed < tasks; ++i) {
        std::this_thread::sleep_for(1ms);
        stats = pool.stats();
    }
    BOOST_TEST(stats.done == tasks);
    BOOST_TEST(stats.failed == 0u);
    return stats;
}

int value_of(std::unique_ptr<int> x) { return *x; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_hedge)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_is_stuck_is_answered_by_its_copy, Pool, blocking_pools)
{
    Pool pool(2);
    folder f;
    BOOST_TEST(pool.with({.hedge_after = 50ms}).apply(stuck_once, f.text(), 7) == 207);
    BOOST_TEST(settled(pool, 1).hedged == 1u);
    BOOST_TEST(f.runs(7) == 2);
    // The loser's worker is free again: both work.
    const auto all = pool.map(twice, numbers(100));
    BOOST_TEST(all.back() == 198);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_map_does_not_wait_for_the_one_that_is_stuck, Pool, blocking_pools)
{
    Pool pool(2);
    folder f;
    std::vector<std::pair<std::string, int>> jobs;
    for (int i = 0; i != 30; ++i)
        jobs.emplace_back(f.text(), i);
    const auto results = pool.with({.hedge_after = 100ms}).starmap(stuck_once, jobs);
    BOOST_TEST_REQUIRE(results.size() == 30u);
    for (int i = 0; i != 30; ++i)
        BOOST_TEST(results[static_cast<std::size_t>(i)] % 100 == i);
    BOOST_TEST(f.runs(7) == 2);
    BOOST_TEST(settled(pool, 30).hedged == 1u); // no more: of less than 40 tasks one may run twice
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_and_streams_have_copies_too, Pool, blocking_pools)
{
    Pool pool(2);
    folder f;
    BOOST_TEST(pool.with({.hedge_after = 50ms}).apply(stuck_once_later, f.text(), 7) == 207);
    folder g;
    Pool other(2);
    int sum = 0;
    for (const int x :
         other.with({.hedge_after = 50ms}).uimap(stuck_once, std::vector<std::string>(10, g.text()), numbers(10)))
        sum += x % 100;
    BOOST_TEST(sum == 45);
    BOOST_TEST(g.runs(7) == 2);
}

BOOST_FIXTURE_TEST_CASE(awaitable_pools_have_copies, io_context_fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        const folder f;
        async_multi_pool pool(co_await asio::this_coro::executor, 2);
        const int x = co_await pool.with({.hedge_after = 50ms}).apply(stuck_once, f.text(), 7);
        BOOST_TEST(x == 207);
        BOOST_TEST(settled(pool, 1).hedged == 1u);
        const folder g;
        async_thread_pool threads(co_await asio::this_coro::executor, 2);
        const int y = co_await threads.with({.hedge_after = 50ms}).apply(stuck_once, g.text(), 7);
        BOOST_TEST(y == 207);
    });
}

BOOST_AUTO_TEST_CASE(a_loser_that_does_not_stop_is_killed_and_its_worker_replaced)
{
    process_pool pool(2);
    folder f;
    BOOST_TEST(pool.with({.hedge_after = 50ms}).apply(deaf_once, f.text(), 1) == 2);
    BOOST_TEST(pool.stats().died == 0u);
    while (pool.stats().restarts == 0)
        std::this_thread::sleep_for(1ms);
    BOOST_TEST(pool.map(twice, numbers(100)).back() == 198);
    BOOST_TEST(pool.stats().failed == 0u);
}

BOOST_AUTO_TEST_CASE(a_death_in_one_run_is_no_answer)
{
    process_pool pool(2);
    folder f;
    BOOST_TEST(pool.with({.hedge_after = 50ms}).apply(dies_in_the_first_run, f.text(), 5) == 5);
    BOOST_TEST(settled(pool, 1).died == 1u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancellation_ends_both_runs, Pool, blocking_pools)
{
    Pool pool(2);
    folder f;
    std::stop_source stop;
    std::jthread stopper([&] {
        while (f.runs(3) != 2)
            std::this_thread::sleep_for(1ms);
        stop.request_stop();
    });
    BOOST_CHECK_EXCEPTION(pool.with({.hedge_after = 20ms}).apply(stuck_for_ever, f.text(), 3, stop.get_token()),
                          boost::system::system_error, is_aborted);
    BOOST_TEST(pool.map(twice, numbers(100)).back() == 198);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_percentile_needs_no_figure, Pool, blocking_pools)
{
    Pool pool(2);
    const auto results = pool.with({.hedge_after = percentile{95}}).map(twice, numbers(500));
    BOOST_TEST(results.back() == 998);
    BOOST_TEST(settled(pool, 500).hedged <= 25u);
}

BOOST_AUTO_TEST_CASE(threads_refuse_what_they_cannot_copy)
{
    thread_pool threads(2);
    BOOST_CHECK_THROW(threads.with({.hedge_after = 1h}).apply(value_of, std::make_unique<int>(1)),
                      std::invalid_argument);
    process_pool processes(2);
    BOOST_TEST(processes.with({.hedge_after = 1h}).apply(value_of, std::make_unique<int>(1)) == 1);
}

BOOST_AUTO_TEST_CASE(bad_delays_are_refused_by_name)
{
    thread_pool pool(1);
    const auto names_it = [](const std::invalid_argument& e) {
        return std::string(e.what()).find("call_options::hedge_after") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(pool.with({.hedge_after = -1ms}), std::invalid_argument, names_it);
    for (const double percent : {0.0, 100.0, -1.0})
        BOOST_CHECK_EXCEPTION(pool.with({.hedge_after = percentile{percent}}), std::invalid_argument, names_it);
    BOOST_CHECK_NO_THROW(pool.with({.hedge_after = 0ms}));
}

BOOST_AUTO_TEST_SUITE_END()
