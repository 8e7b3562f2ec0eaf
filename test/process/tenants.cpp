// SPDX-License-Identifier: BSL-1.0
// Tenants in pools of both kinds, awaitable and blocking.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int nap(int x)
{
    std::this_thread::sleep_for(1ms);
    return x;
}

void hold()
{
    while (!this_task::stop_token().stop_requested())
        std::this_thread::sleep_for(1ms);
}

template <class Pool>
void counts_tenants()
{
    Pool pool(2);
    pool.set_tenant({7}, {.weight = 3, .max_running = 1});
    const std::vector<int> inputs(20);
    pool.with({.tenant = {7}}).map(nap, inputs);
    pool.with({.tenant = {8}}).map(nap, inputs);
    pool.map(nap, inputs); // of nobody
    const pool_stats stats = pool.stats();
    BOOST_TEST_REQUIRE(stats.tenants.size() == 1u);
    BOOST_TEST(stats.tenants[0].id.value == 7u);
    BOOST_TEST(stats.tenants[0].weight == 3u);
    BOOST_TEST(stats.tenants[0].done == 20u);
    BOOST_TEST(stats.tenants[0].queue_wait.count() == 1u);
    BOOST_TEST(stats.tenants[0].run_time.count() == 20u);
    BOOST_TEST((stats.tenants[0].worker_time >= 20ms));
    BOOST_TEST(stats.other_tenants.done == 20u);
}

template <class Pool>
void passes_a_flood()
{
    asio::io_context ctx;
    Pool pool(ctx, 1);
    std::vector<int> order;
    const auto note = [&order](std::exception_ptr, int x) { order.push_back(x); };
    for (int i = 0; i < 200; ++i)
        pool.with({.tenant = {1}}).apply(nap, 1, note);
    pool.with({.tenant = {2}}).apply(nap, 2, note);
    ctx.run();
    BOOST_TEST_REQUIRE(order.size() == 201u);
    const auto position = std::find(order.begin(), order.end(), 2) - order.begin();
    BOOST_TEST(position < 100); // behind those that were sent already
}

template <class Pool>
void refuses_what_is_too_much()
{
    asio::io_context ctx;
    Pool pool(ctx, 1);
    pool.set_tenant({1}, {.max_pending = 1});
    std::vector<std::exception_ptr> errors;
    pool.start([](std::exception_ptr) {});
    ctx.run();
    ctx.restart();
    pool.with({.tenant = {2}}).apply(hold, [](std::exception_ptr) {});
    ctx.poll();
    for (int i = 0; i < 3; ++i)
        pool.with({.tenant = {1}}).apply(nap, 1, [&](std::exception_ptr e, int) { errors.push_back(e); });
    while (errors.size() < 2)
        ctx.run_one();
    BOOST_TEST(pool.stats().tenants.at(0).refused == 2u);
    for (const auto& error : errors)
        BOOST_CHECK_EXCEPTION(std::rethrow_exception(error), twat::mp::error, [](const twat::mp::error& e) {
            return e.code() == errc::queue_full &&
                   std::string(e.what()).find("tenant_options::max_pending") != std::string::npos;
        });
    pool.terminate();
    ctx.run();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_tenants_of_pools)

BOOST_AUTO_TEST_CASE(processes_count_them) { counts_tenants<process_pool>(); }
BOOST_AUTO_TEST_CASE(threads_count_them) { counts_tenants<thread_pool>(); }

BOOST_AUTO_TEST_CASE(a_call_passes_the_flood_of_another_tenant_on_processes) { passes_a_flood<async_multi_pool>(); }
BOOST_AUTO_TEST_CASE(a_call_passes_the_flood_of_another_tenant_on_threads) { passes_a_flood<async_thread_pool>(); }

BOOST_AUTO_TEST_CASE(processes_refuse_what_is_too_much_of_one) { refuses_what_is_too_much<async_multi_pool>(); }
BOOST_AUTO_TEST_CASE(threads_refuse_what_is_too_much_of_one) { refuses_what_is_too_much<async_thread_pool>(); }

BOOST_AUTO_TEST_CASE(bad_options_are_refused)
{
    const auto names = [](const char* member) {
        return [member](const std::invalid_argument& e) {
            return std::string(e.what()).find(member) != std::string::npos;
        };
    };
    thread_pool pool(1);
    BOOST_CHECK_EXCEPTION(pool.set_tenant({1}, {.weight = 0}), std::invalid_argument, names("tenant_options::weight"));
    BOOST_CHECK_EXCEPTION(pool.set_tenant({1}, {.weight = 1'000'001}), std::invalid_argument,
                          names("tenant_options::weight"));
    pool_options options;
    options.shed = {.target = 5ms};
    BOOST_CHECK_EXCEPTION(thread_pool{options}, std::invalid_argument, names("pool_options::shed.interval"));
    options.shed = {.target = -5ms, .interval = 1ms};
    BOOST_CHECK_EXCEPTION(thread_pool{options}, std::invalid_argument, names("pool_options::shed.target"));
}

BOOST_AUTO_TEST_SUITE_END()
