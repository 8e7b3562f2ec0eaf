// SPDX-License-Identifier: BSL-1.0
// What tasks use, and the trace that they belong to.
#include <twat/mp.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

constexpr const char* parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Uses the CPU for so long.
int burn(int milliseconds)
{
    timespec begun{}, now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
    do
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < milliseconds);
    return milliseconds;
}

int nap(int milliseconds)
{
    std::this_thread::sleep_for(milliseconds * 1ms);
    return milliseconds;
}

std::size_t touch(std::size_t bytes)
{
    std::vector<char> memory(bytes, 'x');
    std::size_t sum = 0;
    for (std::size_t i = 0; i < bytes; i += 4096)
        sum += static_cast<std::size_t>(memory[i]);
    return sum;
}

std::string twice(std::string text) { return text + text; }
int throws(int i) { return i == 3 ? throw std::runtime_error("three") : i; }
std::string my_trace_parent(int) { return this_task::trace_parent(); }

asio::awaitable<int> burn_and_wait(int milliseconds)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i != milliseconds; ++i) {
        burn(1);
        timer.expires_after(2ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_return milliseconds;
}

asio::awaitable<std::string> my_trace_parent_later(int)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return this_task::trace_parent();
}

using bills = std::vector<usage>;

/// Bills that a call with these options got.
template <class Pool, class F, class T>
bills bills_of(Pool& pool, F f, std::vector<T> inputs, const call_options& options = {})
{
    bills all;
    auto keep = [&all](const usage& used) { all.push_back(used); };
    pool.with(options).on_usage(keep).try_map(f, inputs);
    std::sort(all.begin(), all.end(), [](const usage& a, const usage& b) { return a.task_index < b.task_index; });
    return all;
}

using pools = boost::mpl::list<process_pool, thread_pool, inline_pool>;
using pools_with_workers = boost::mpl::list<process_pool, thread_pool>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_usage)

BOOST_AUTO_TEST_CASE_TEMPLATE(each_task_has_its_bill, Pool, pools)
{
    Pool pool{pool_options{.nodes = 2}};
    const bills all = bills_of(pool, burn, std::vector<int>{30, 1, 60});
    BOOST_TEST_REQUIRE(all.size() == 3u);
    for (std::size_t i = 0; i != 3; ++i)
        BOOST_TEST(all[i].task_index == i);
    BOOST_TEST((all[0].cpu() >= 20ms));
    BOOST_TEST((all[2].cpu() >= 45ms));
    BOOST_TEST((all[1].cpu() < all[0].cpu()));
    BOOST_TEST((all[2].ran >= all[2].cpu() - 15ms));
    BOOST_TEST(all[0].peak_memory > 100'000u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_is_no_cpu_time, Pool, pools)
{
    Pool pool{pool_options{.nodes = 1}};
    const bills all = bills_of(pool, nap, std::vector<int>{40, 40});
    BOOST_TEST_REQUIRE(all.size() == 2u);
    for (const usage& used : all) {
        BOOST_TEST((used.ran >= 40ms));
        BOOST_TEST((used.cpu() < used.ran / 2));
        BOOST_TEST(used.voluntary_switches >= 1u);
    }
    BOOST_TEST((all[1].waited >= 40ms)); // for the first one
}

BOOST_AUTO_TEST_CASE(memory_and_bytes_of_processes)
{
    const std::vector<char> large(512u << 20, 'x'); // a parent that is larger than its workers says nothing of them
    process_pool pool(1);
    const bills grown = bills_of(pool, touch, std::vector<std::size_t>{64u << 20, 1u << 20});
    BOOST_TEST_REQUIRE(grown.size() == 2u);
    BOOST_TEST(grown[0].memory_growth >= (32u << 20));
    BOOST_TEST(grown[0].minor_faults > 10u);
    BOOST_TEST(grown[1].memory_growth < (32u << 20));
    BOOST_TEST(grown[1].peak_memory >= grown[0].memory_growth);
    BOOST_TEST(grown[1].peak_memory < large.size());
    BOOST_TEST(grown[0].pid > 0);
    const bills sized =
        bills_of(pool, twice, std::vector<std::string>{std::string(1000, 'x'), std::string(200'000, 'y')});
    BOOST_TEST_REQUIRE(sized.size() == 2u);
    BOOST_TEST(sized[0].bytes_in >= 1000u);
    BOOST_TEST(sized[0].bytes_in < 1100u);
    BOOST_TEST(sized[0].bytes_out >= 2000u);
    BOOST_TEST(sized[1].bytes_out >= 400'000u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_throws_has_a_bill_too, Pool, pools)
{
    Pool pool{pool_options{.nodes = 2}};
    BOOST_TEST(bills_of(pool, throws, std::vector<int>{1, 2, 3, 4, 5}).size() == 5u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(thousands_of_short_tasks, Pool, pools)
{
    Pool pool{pool_options{.nodes = 2}};
    const bills all = bills_of(pool, throws, std::vector<int>(5000, 1));
    BOOST_TEST_REQUIRE(all.size() == 5000u);
    for (std::size_t i = 0; i != all.size(); ++i)
        BOOST_TEST(all[i].task_index == i);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_pay_for_their_own_time, Pool, pools_with_workers)
{
    Pool pool{pool_options{.nodes = 1, .child_concurrency = 4}};
    const bills all = bills_of(pool, burn_and_wait, std::vector<int>{5, 40, 5});
    BOOST_TEST_REQUIRE(all.size() == 3u);
    BOOST_TEST((all[1].cpu() >= 30ms));
    BOOST_TEST((all[0].cpu() < all[1].cpu()));
    BOOST_TEST((all[2].cpu() < all[1].cpu()));
    BOOST_TEST((all[1].ran >= 100ms));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_sums_are_kept_by_tenant_and_label, Pool, pools_with_workers)
{
    pool_options options{.nodes = 2, .measure_usage = true};
    Pool pool(options);
    pool.set_tenant({7}, {.weight = 2});
    pool.with({.tenant = {7}, .label = "burning"}).map(burn, std::vector<int>{20, 20});
    pool.with({.label = "other"}).map(burn, std::vector<int>{1});
    pool.map(burn, std::vector<int>{1});
    const pool_stats stats = pool.stats();
    BOOST_TEST_REQUIRE(stats.tenants.size() == 1u);
    BOOST_TEST((stats.tenants[0].cpu_time >= 30ms));
    BOOST_TEST_REQUIRE(stats.labels.size() == 3u);
    BOOST_TEST(stats.labels[0].label == "");
    BOOST_TEST(stats.labels[1].label == "burning");
    BOOST_TEST(stats.labels[1].tasks == 2u);
    BOOST_TEST((stats.labels[1].user + stats.labels[1].system == stats.tenants[0].cpu_time));
    BOOST_TEST(stats.labels[2].tasks == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_measured_that_nobody_asks_for)
{
    process_pool pool(1);
    pool.map(burn, std::vector<int>{1});
    BOOST_TEST(pool.stats().labels.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_callback_that_throws_ends_the_call, Pool, pools)
{
    Pool pool{pool_options{.nodes = 1}};
    auto angry = [](const usage&) { throw std::domain_error("too dear"); };
    BOOST_CHECK_THROW(pool.with({}).on_usage(angry).map(burn, std::vector<int>{1, 1}), std::domain_error);
    BOOST_TEST(pool.apply(burn, 1) == 1);
}

BOOST_AUTO_TEST_CASE(beside_a_progress_callback)
{
    thread_pool pool(2);
    std::atomic<std::size_t> bills{0}, steps{0};
    auto keep = [&](const usage&) { ++bills; };
    auto step = [&](const progress& now) {
        ++steps;
        BOOST_TEST(bills >= now.done);
    };
    pool.with({}).on_usage(keep).on_progress(step).map(burn, std::vector<int>{1, 1, 1});
    BOOST_TEST(bills == 3u);
    BOOST_TEST(steps > 0u);
    pool.with({}).on_progress(step).on_usage(keep).map(burn, std::vector<int>{1, 1, 1});
    BOOST_TEST(bills == 6u);
}

BOOST_AUTO_TEST_CASE(awaited_calls_and_streams)
{
    asio::io_context context;
    async_multi_pool pool(context, 1);
    bills all;
    auto keep = [&all](const usage& used) { all.push_back(used); };
    auto body = [&]() -> asio::awaitable<void> {
        co_await pool.with({}).on_usage(keep).apply(burn, 1);
        BOOST_TEST(all.size() == 1u);
        auto stream = pool.with({}).on_usage(keep).imap(burn, std::vector<int>(3, 1));
        while (co_await stream.next()) {
        }
        BOOST_TEST(all.size() == 4u);
    };
    asio::co_spawn(context, body(), [](std::exception_ptr error) {
        if (error)
            std::rethrow_exception(error);
    });
    context.run();
    BOOST_TEST(all.size() == 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_knows_the_trace_that_it_belongs_to, Pool, pools)
{
    Pool pool{pool_options{.nodes = 2}};
    BOOST_TEST(pool.with({.trace_parent = parent}).apply(my_trace_parent, 1) == parent);
    BOOST_TEST(pool.with({.trace_parent = parent}).map(my_trace_parent, std::vector<int>{1, 2}).back() == parent);
    BOOST_TEST(pool.apply(my_trace_parent, 1) == "");
    BOOST_TEST(this_task::trace_parent() == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(so_does_a_coroutine, Pool, pools_with_workers)
{
    Pool pool{pool_options{.nodes = 1}};
    BOOST_TEST(pool.with({.trace_parent = parent}).apply(my_trace_parent_later, 1) == parent);
    BOOST_TEST(pool.apply(my_trace_parent_later, 1) == "");
}

BOOST_AUTO_TEST_CASE(traces_have_bills_and_parents)
{
    std::set<std::string> parents;
    std::size_t bills = 0;
    {
        process_pool pool({.nodes = 1,
                           .on_trace =
                               [&](const trace_event& event) {
                                   if (event.operation != 0)
                                       parents.emplace(event.trace_parent.text());
                                   if (event.what == trace_event::task_used) {
                                       BOOST_TEST_REQUIRE(event.used != nullptr);
                                       BOOST_TEST(event.used->task_index == event.first);
                                       BOOST_TEST(event.pid == event.used->pid);
                                       ++bills;
                                   }
                               },
                           .measure_usage = true});
        pool.with({.trace_parent = parent}).map(burn, std::vector<int>{1, 1});
    }
    BOOST_TEST(bills == 2u);
    BOOST_TEST_REQUIRE(parents.size() == 1u);
    BOOST_TEST(*parents.begin() == parent);
}

BOOST_AUTO_TEST_SUITE_END()
