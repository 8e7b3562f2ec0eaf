// SPDX-License-Identifier: BSL-1.0
// call_options::max_concurrency in pools of both kinds: what tasks note about when they ran shows how many did at once.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

using span = std::pair<std::int64_t, std::int64_t>; // by the steady clock, which processes share

std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

span work(int)
{
    const std::int64_t begin = now();
    std::this_thread::sleep_for(2ms);
    return {begin, now()};
}

asio::awaitable<span> wait(int)
{
    const std::int64_t begin = now();
    asio::steady_timer timer(co_await asio::this_coro::executor, 2ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return span{begin, now()};
}

std::size_t most_at_once(const std::vector<span>& spans)
{
    std::vector<std::pair<std::int64_t, int>> steps;
    for (const auto& [begin, end] : spans) {
        steps.emplace_back(begin, +1);
        steps.emplace_back(end, -1);
    }
    std::sort(steps.begin(), steps.end());
    int running = 0, most = 0;
    for (const auto& [when, step] : steps)
        most = std::max(most, running += step);
    return static_cast<std::size_t>(most);
}

template <class Pool>
void keeps_to_its_bound()
{
    Pool pool(4);
    pool.start();
    const std::vector<int> inputs(40);
    BOOST_TEST(most_at_once(pool.with({.max_concurrency = 2}).map(work, inputs)) <= 2u);
    BOOST_TEST(most_at_once(pool.with({.chunk_size = 5, .max_concurrency = 1}).map(work, inputs)) == 1u);
    BOOST_TEST(most_at_once(pool.with({.max_concurrency = 3}).map(wait, inputs)) <= 3u);
    std::vector<span> read;
    for (span s : pool.with({.max_concurrency = 1}).imap(work, inputs))
        read.push_back(s);
    BOOST_TEST(read.size() == inputs.size());
    BOOST_TEST(most_at_once(read) == 1u);
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_max_concurrency_of_pools)

BOOST_AUTO_TEST_CASE(processes_keep_to_it) { keeps_to_its_bound<process_pool>(); }

BOOST_AUTO_TEST_CASE(threads_keep_to_it) { keeps_to_its_bound<thread_pool>(); }

BOOST_AUTO_TEST_SUITE_END()
