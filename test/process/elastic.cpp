// SPDX-License-Identifier: BSL-1.0
// Pools that start workers when tasks wait and end them when there is nothing to do; and what becomes of nodes that cannot start.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <csignal>
#include <unistd.h>

#include "descriptor_shortage.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

int sleep_for(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return static_cast<int>(this_worker::index());
}

int pid_of(int) { return ::getpid(); }

void fail_on_node_1()
{
    if (this_worker::index() == 1)
        throw std::runtime_error("node 1 has no disk");
}

template <class Done>
void await(Done done)
{
    for (const auto limit = std::chrono::steady_clock::now() + 60s; !done();) {
        if (std::chrono::steady_clock::now() > limit)
            throw std::runtime_error("what the test waits for does not happen");
        std::this_thread::sleep_for(1ms);
    }
}

std::vector<int> copies(int value, std::size_t count) { return std::vector<int>(count, value); }

pool_options elastic(std::size_t nodes, std::size_t min_nodes, duration idle_timeout)
{
    pool_options options;
    options.nodes = nodes;
    options.min_nodes = min_nodes;
    options.idle_timeout = idle_timeout;
    return options;
}

using pools = std::tuple<process_pool, thread_pool>;

/// What happened to workers, by kind.
class counter
{
public:
    void operator()(const pool_event& event)
    {
        std::lock_guard lock(mutex_);
        ++counts_[event.what];
    }
    std::size_t of(decltype(pool_event::what) what) const
    {
        std::lock_guard lock(mutex_);
        const auto found = counts_.find(what);
        return found == counts_.end() ? 0 : found->second;
    }

private:
    mutable std::mutex mutex_;
    std::map<int, std::size_t> counts_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_elastic)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_that_keeps_nobody_has_workers_while_there_is_work, Pool, pools)
{
    counter events;
    pool_options options = elastic(3, 0, 50ms);
    options.on_event = std::ref(events);
    Pool pool(options);
    pool.start(); // every worker that is kept is ready
    BOOST_TEST(pool.stats().ready == 0u);
    BOOST_TEST(pool.nodes() == 3u);
    // Long enough for three starts on a busy machine.
    const auto indices = pool.with({.chunk_size = 1}).map(sleep_for, copies(100, 60));
    BOOST_TEST(std::set<int>(indices.begin(), indices.end()).size() == 3u);
    await([&] { return pool.stats().ready == 0; }); // nobody calls it
    await([&] { return events.of(pool_event::worker_retired) == 3; });
    BOOST_TEST(pool.stats().retired == 3u);
    BOOST_TEST(pool.stats().died == 0u);
    BOOST_TEST(pool.stats().restarts == 0u);
    BOOST_TEST(pool.apply(sleep_for, 0) == 0);
}

BOOST_AUTO_TEST_CASE(short_work_needs_no_more_workers_than_are_kept)
{
    process_pool pool(elastic(8, 1, 1s));
    pool.start();
    for (int i = 0; i < 300; ++i)
        pool.apply(pid_of, i);
    BOOST_TEST(pool.stats().ready == 1u);
    BOOST_TEST(pool.stats().retired == 0u);
}

BOOST_AUTO_TEST_CASE(an_idle_elastic_pool_is_no_work_and_ends_its_workers_all_the_same)
{
    asio::io_context context;
    async_multi_pool pool(context, elastic(2, 0, 50ms));
    int index = -1;
    pool.apply(sleep_for, 1, [&](std::exception_ptr, int i) { index = i; });
    context.run(); // returns
    BOOST_TEST(index == 0);
    BOOST_TEST(pool.stats().ready == 1u);
    asio::steady_timer timer(context);
    const std::function<void()> look = [&] { // the loop runs for something else
        timer.expires_after(1ms);
        timer.async_wait([&](auto) {
            if (pool.stats().ready != 0)
                look();
        });
    };
    look();
    context.restart();
    context.run();
    BOOST_TEST(pool.stats().ready == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_pool_can_be_made_larger_and_smaller_while_it_runs, Pool, pools)
{
    Pool pool(1);
    pool.start();
    auto first = pool.with({.chunk_size = 1}).amap(sleep_for, copies(20, 40));
    pool.resize(4);
    BOOST_TEST(pool.nodes() == 4u);
    pool.start();
    BOOST_TEST(pool.stats().ready == 4u);
    BOOST_TEST(first.get().size() == 40u);
    const auto many = pool.with({.chunk_size = 1}).map(sleep_for, copies(20, 40));
    BOOST_TEST(std::set<int>(many.begin(), many.end()).size() == 4u);

    auto second = pool.with({.chunk_size = 1}).amap(sleep_for, copies(20, 40));
    await([&] { return pool.stats().busy == 4; });
    pool.resize(1);
    BOOST_TEST(pool.nodes() == 1u);
    const auto few = second.get();
    BOOST_TEST(few.size() == 40u);
    BOOST_TEST(std::count(few.begin(), few.end(), 0) >= 20); // its tasks ended, and it got no others
    await([&] { return pool.stats().ready == 1; });
    BOOST_TEST(pool.stats().nodes == 1u);
    BOOST_TEST(pool.stats().failed == 0u);
    BOOST_TEST(pool.stats().died == 0u);
    BOOST_TEST(pool.stats().retired == 3u);
}

BOOST_AUTO_TEST_CASE(a_pool_may_be_resized_before_it_starts_and_by_many_at_once)
{
    thread_pool pool(elastic(2, 1, 1ms));
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t != 4; ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i != 50; ++i) {
                pool.resize(1 + (i + t) % 5);
                pool.apply([](int x) { return x; }, 1);
            }
        });
    for (auto& thread : threads)
        thread.join();
    pool.resize(3);
    const auto all = pool.map([](int x) { return x; }, copies(1, 1000));
    BOOST_TEST(std::accumulate(all.begin(), all.end(), 0) == 1000);
}

BOOST_AUTO_TEST_CASE(bad_sizes_are_refused)
{
    const auto names = [](const char* member) {
        return [member](const std::invalid_argument& e) {
            return std::string(e.what()).find(member) != std::string::npos;
        };
    };
    BOOST_CHECK_EXCEPTION(thread_pool(elastic(2, 3, 0s)), std::invalid_argument, names("pool_options::min_nodes"));
    BOOST_CHECK_EXCEPTION(thread_pool(elastic(2, 1, -1s)), std::invalid_argument, names("pool_options::idle_timeout"));
    thread_pool pool(elastic(2, all_nodes, 0s));
    BOOST_CHECK_EXCEPTION(pool.resize(std::size_t(1) << 40), std::invalid_argument, names("resize"));
    BOOST_TEST(pool.nodes() == 2u);
    pool.resize(0); // as many as CPUs
    BOOST_TEST(pool.nodes() >= 1u);
}

// ---------------------------------------------------------------- nodes that have no worker

BOOST_AUTO_TEST_CASE(a_node_that_never_starts_does_not_break_a_pool_that_works)
{
    pool_options options;
    options.nodes = 2;
    options.initializer = task(fail_on_node_1);
    options.restarts.count = 2;
    process_pool pool(options);
    BOOST_CHECK_EXCEPTION(pool.start(), error, [](const error& e) { return e.code() == errc::initializer_failed; });
    for (const auto end = std::chrono::steady_clock::now() + 1s; std::chrono::steady_clock::now() < end;)
        BOOST_TEST(pool.apply(sleep_for, 1) == 0);
    BOOST_TEST(pool.stats().died >= 3u);
    BOOST_TEST(pool.stats().died <= 9u); // growing pauses
}

BOOST_AUTO_TEST_CASE(a_worker_that_dies_idle_is_replaced_at_once_if_the_loop_runs)
{
    process_pool pool(2);
    pool.start();
    const auto pids = pool.with({.chunk_size = 1}).map(pid_of, copies(0, 2));
    ::kill(pids.front(), SIGKILL);
    await([&] { return pool.stats().restarts == 1; }); // without a call
    BOOST_TEST(pool.stats().died == 1u);
    pool.start();
    BOOST_TEST(pool.stats().ready == 2u);
}

BOOST_AUTO_TEST_CASE(a_start_that_lacks_descriptors_completes_and_names_the_limit)
{
    for (const std::size_t nodes : {1, 4}) {
        process_pool warm_up(1); // what the process needs only once is there
        warm_up.start();
        for (std::size_t spare = 6; spare <= 22; spare += 4) {
            try {
                asio::io_context context;
                pool_options options;
                options.nodes = nodes;
                options.start_timeout = 60s;
                async_multi_pool pool(context, options);
                std::exception_ptr error;
                bool done = false;
                const test::descriptor_shortage shortage(spare);
                pool.start([&](std::exception_ptr e) { error = e, done = true; });
                context.run_for(60s);
                BOOST_TEST(done);
                if (!error)
                    continue;
                try {
                    std::rethrow_exception(error);
                }
                catch (const std::exception& e) {
                    std::string what = e.what();
                    try {
                        std::rethrow_if_nested(e);
                    }
                    catch (const std::exception& nested) {
                        what += nested.what();
                    }
                    BOOST_TEST(what.find("RLIMIT_NOFILE") != std::string::npos, what);
                }
            }
            catch (const boost::system::system_error& e) { // not even an io_context can be had
                BOOST_TEST(e.code() == boost::system::errc::too_many_files_open);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
