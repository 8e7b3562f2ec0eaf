// SPDX-License-Identifier: BSL-1.0
// duration::max() means no limit, for each option, and so does all that is too long to be added to a time.
#include <twat/mp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <ostream>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace twat::mp;
using namespace std::chrono_literals;
namespace bdata = boost::unit_test::data;

namespace {

int twice(int x) { return 2 * x; }

/// What the task is told of its time, in nanoseconds.
std::int64_t remaining(int) { return this_task::remaining().count(); }

/// Takes no notice of being stopped.
int stubborn(int ms)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    return ::getpid();
}

template <class Options>
struct named_option
{
    const char* name;
    std::function<void(Options&, duration)> set;
    friend std::ostream& operator<<(std::ostream& os, const named_option& option) { return os << option.name; }
};

const std::vector<named_option<call_options>> of_calls{
    {"timeout", [](call_options& o, duration d) { o.timeout = d; }},
    {"deadline", [](call_options& o, duration d) { o.deadline = d; }},
    {"queue_timeout", [](call_options& o, duration d) { o.queue_timeout = d; }},
};

const std::vector<named_option<pool_options>> of_pools{
    {"start_timeout", [](pool_options& o, duration d) { o.start_timeout = d; }},
    {"stop_grace", [](pool_options& o, duration d) { o.stop_grace = d; }},
    {"cancel_grace", [](pool_options& o, duration d) { o.cancel_grace = d; }},
    {"max_age_per_child", [](pool_options& o, duration d) { o.max_age_per_child = d; }},
    {"restarts.window", [](pool_options& o, duration d) { o.restarts.window = d; }},
};

const std::vector<duration> no_limits{duration::max(), duration::max() - 1ns, duration::max() / 2 + 1s};

template <class Pool>
void check_call(const named_option<call_options>& option, duration limit)
{
    call_options options;
    option.set(options, limit);
    Pool pool(1);
    auto bounded = pool.with(options);
    BOOST_TEST(bounded.apply(twice, 4) == 8);
    BOOST_TEST((bounded.map(twice, std::vector<int>{1, 2, 3}) == std::vector<int>{2, 4, 6}));
    BOOST_TEST(bounded.apply(remaining, 0) > duration(24h).count());
    BOOST_TEST(pool.stats().timed_out == 0u);
}

template <class Pool>
void check_pool(const named_option<pool_options>& option, duration limit)
{
    pool_options options;
    options.nodes = 1;
    option.set(options, limit);
    Pool pool(options);
    pool.start();
    BOOST_TEST((pool.map(twice, std::vector<int>{1, 2, 3}) == std::vector<int>{2, 4, 6}));
    BOOST_TEST(pool.stats().recycled == 0u);
    BOOST_TEST(pool.stats().died == 0u);
    pool.join();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_no_limit)

BOOST_DATA_TEST_CASE(of_a_call_on_processes, bdata::make(of_calls) * bdata::make(no_limits), option, limit)
{
    check_call<process_pool>(option, limit);
}

BOOST_DATA_TEST_CASE(of_a_call_on_threads, bdata::make(of_calls) * bdata::make(no_limits), option, limit)
{
    check_call<thread_pool>(option, limit);
}

BOOST_DATA_TEST_CASE(of_a_pool_of_processes, bdata::make(of_pools) * bdata::make(no_limits), option, limit)
{
    check_pool<process_pool>(option, limit);
}

BOOST_DATA_TEST_CASE(of_a_pool_of_threads, bdata::make(of_pools) * bdata::make(no_limits), option, limit)
{
    check_pool<thread_pool>(option, limit);
}

BOOST_DATA_TEST_CASE(of_spinning, bdata::make(no_limits), limit)
{
    pool_options options;
    options.nodes = 1;
    options.spin = limit;
    process_pool pool(options);
    BOOST_TEST(pool.apply(twice, 4) == 8);
    BOOST_TEST(pool.apply(twice, 5) == 10);
}

BOOST_AUTO_TEST_CASE(a_task_without_a_limit_is_told_so)
{
    process_pool processes(1);
    BOOST_TEST(processes.with({.deadline = duration::max()}).apply(remaining, 0) == duration::max().count());
    BOOST_TEST(processes.with({.timeout = duration::max()}).apply(remaining, 0) == duration::max().count());
    thread_pool threads(1);
    BOOST_TEST(threads.with({.deadline = duration::max()}).apply(remaining, 0) == duration::max().count());
    BOOST_TEST(threads.with({.timeout = duration::max()}).apply(remaining, 0) == duration::max().count());
}

BOOST_AUTO_TEST_CASE(a_stubborn_task_is_not_killed_without_a_limit)
{
    pool_options options;
    options.nodes = 1;
    options.cancel_grace = duration::max();
    process_pool pool(options);
    const int pid = pool.apply(stubborn, 0);
    BOOST_CHECK_THROW(pool.with({.timeout = 50ms}).apply(stubborn, 600), error);
    BOOST_TEST(pool.apply(stubborn, 0) == pid);
    BOOST_TEST(pool.stats().died == 0u);
}

BOOST_AUTO_TEST_CASE(a_long_finalizer_is_not_killed_without_a_limit)
{
    std::atomic<int> lost = 0, retired = 0;
    pool_options options;
    options.nodes = 1;
    options.stop_grace = duration::max();
    options.finalizer = task(stubborn, 600);
    options.on_event = [&](const pool_event& event) {
        lost += event.what == pool_event::worker_lost || event.what == pool_event::worker_abandoned;
        retired += event.what == pool_event::worker_retired;
    };
    {
        process_pool pool(options);
        pool.apply(twice, 1);
    }
    BOOST_TEST(lost == 0);
    BOOST_TEST(retired == 1);
}

BOOST_AUTO_TEST_SUITE_END()
