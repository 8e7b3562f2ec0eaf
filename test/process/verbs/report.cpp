// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include <twat/mp/inline_pool.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

using all_blocking_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

int report_once(int x)
{
    this_task::report(x / 10.0, "task " + std::to_string(x));
    return x;
}

/// Reports again and again, until there is a file of that name.
std::size_t report_until(const std::string& file)
{
    std::size_t count = 0;
    const auto begin = std::chrono::steady_clock::now();
    while (!std::filesystem::exists(file) && std::chrono::steady_clock::now() - begin < 60s)
        for (int i = 0; i != 100; ++i, ++count)
            this_task::report(0.5, "busy");
    return count;
}

asio::awaitable<int> report_in_turns(int x)
{
    for (int i = 0; i != 3; ++i) {
        this_task::report(i / 2.0, std::to_string(x));
        asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return x;
}

int report_nonsense(int x)
{
    this_task::report(x == 0 ? -3 : x == 1 ? 7 : std::nan(""), "");
    return x;
}

struct collected
{
    std::map<std::size_t, progress> of_task; ///< The last report of each.
    std::size_t reports = 0, outcomes = 0;

    void operator()(const progress& now)
    {
        if (!now.task) {
            ++outcomes;
            return;
        }
        ++reports;
        of_task[*now.task] = now;
    }
};

/// Lets a task go on with its reports until a few have arrived, by a file that appears then.
struct patient_listener : collected
{
    patient_listener() { std::filesystem::remove(file); }
    ~patient_listener() { std::filesystem::remove(file); }
    patient_listener(const patient_listener&) = delete;
    patient_listener& operator=(const patient_listener&) = delete;

    std::filesystem::path file =
        std::filesystem::temp_directory_path() / ("twat_mp_report_" + std::to_string(::getpid()));

    void operator()(const progress& now)
    {
        collected::operator()(now);
        if (reports == 3)
            std::ofstream(file) << "seen";
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_task_report)

BOOST_AUTO_TEST_CASE_TEMPLATE(reports_reach_on_progress, Pool, all_blocking_pools)
{
    Pool pool;
    collected seen;
    BOOST_TEST(pool.with({.chunk_size = 1}).on_progress(std::ref(seen)).map(report_once, numbers(10)).size() == 10u);
    BOOST_TEST(seen.outcomes >= 1u);
    BOOST_TEST_REQUIRE(seen.of_task.size() == 10u);
    for (const auto& [task, last] : seen.of_task) {
        BOOST_TEST(last.fraction == static_cast<double>(task) / 10.0);
        BOOST_TEST(last.text == "task " + std::to_string(task));
        BOOST_TEST((last.total == 10u));
        BOOST_TEST(last.done <= 10u);
    }
    BOOST_TEST(pool.map(report_once, numbers(3)).size() == 3u); // nobody wants to know
    this_task::report(1, "outside a task");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(they_come_while_the_task_runs_and_not_too_often, Pool, all_blocking_pools)
{
    Pool pool;
    patient_listener seen;
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t made = pool.with({}).on_progress(std::ref(seen)).apply(report_until, seen.file.string());
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST(seen.reports >= 3u);
    BOOST_TEST(seen.reports < made);
    BOOST_TEST(seen.reports <= 3u + static_cast<std::size_t>(took / 1ms));
    BOOST_TEST(seen.of_task.at(0).text == "busy");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_report_beside_each_other, Pool, all_blocking_pools)
{
    Pool pool;
    collected seen;
    pool.with({}).on_progress(std::ref(seen)).map(report_in_turns, numbers(8));
    BOOST_TEST_REQUIRE(seen.of_task.size() == 8u);
    for (const auto& [task, last] : seen.of_task)
        BOOST_TEST(last.text == std::to_string(task));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(elements_report, Pool, all_blocking_pools)
{
    Pool pool;
    collected seen;
    pool.with({.chunk_size = 4}).on_progress(std::ref(seen)).for_each(report_once, numbers(8));
    BOOST_TEST(!seen.of_task.empty());
    for (const auto& [task, last] : seen.of_task)
        BOOST_TEST(last.text == "task " + std::to_string(task));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(fractions_are_clamped, Pool, all_blocking_pools)
{
    Pool pool;
    collected seen;
    pool.with({.chunk_size = 1}).on_progress(std::ref(seen)).map(report_nonsense, numbers(3));
    BOOST_TEST(seen.of_task.at(0).fraction == 0);
    BOOST_TEST(seen.of_task.at(1).fraction == 1);
    BOOST_TEST(seen.of_task.at(2).fraction == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_callback_that_throws_at_a_report_ends_the_operation, Pool, all_blocking_pools)
{
    Pool pool;
    patient_listener seen;
    const auto refuse = [&](const progress& now) {
        if (!now.task)
            return;
        std::ofstream(seen.file) << "seen";
        throw std::domain_error("no reports");
    };
    const std::vector<std::string> files(2, seen.file.string());
    BOOST_CHECK_THROW(pool.with({}).on_progress(refuse).map(report_until, files), std::domain_error);
    BOOST_TEST(pool.apply(twice, 2) == 4);
}

BOOST_FIXTURE_TEST_CASE_TEMPLATE(awaitable_pools_have_them, Pool, awaitable_pools, io_context_fixture)
{
    this->run_coro([&]() -> asio::awaitable<void> {
        Pool pool(this->ctx, 2);
        collected seen;
        auto watched = pool.with({.chunk_size = 1}).on_progress(std::ref(seen));
        const auto inputs = numbers(10);
        co_await watched.map(report_once, inputs);
        BOOST_TEST(seen.of_task.size() == 10u);
        patient_listener patient;
        co_await pool.with({}).on_progress(std::ref(patient)).apply(report_until, patient.file.string());
        BOOST_TEST(patient.of_task.at(0).text == "busy");
        co_await pool.join();
    });
}

BOOST_AUTO_TEST_SUITE_END()
