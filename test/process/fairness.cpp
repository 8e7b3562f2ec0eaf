// SPDX-License-Identifier: BSL-1.0
// Several operations on one pool, of processes and of threads.
#include <twat/mp/multi_pool.hpp>

#include <boost/mp11/list.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int sleep_a_little(int i)
{
    std::this_thread::sleep_for(2ms);
    return i;
}

int sleep_long(int i)
{
    std::this_thread::sleep_for(500ms);
    return i;
}

std::size_t size_of(const std::string& text)
{
    std::this_thread::sleep_for(1ms);
    return text.size();
}

std::vector<int> numbers(int n)
{
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

using pools = boost::mp11::mp_list<process_pool, thread_pool>;

} // namespace

BOOST_AUTO_TEST_SUITE(test_fairness)

// Each worker holds two chunks of 200 tasks when the small call comes; behind them it would wait for 800 tasks.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_small_call_is_not_starved_by_a_large_map, Pool, pools)
{
    pool_options options;
    options.nodes = 2;
    Pool pool(options);
    pool.start();
    std::atomic<std::size_t> done = 0;
    auto note = [&](const progress& now) { done = now.done; };
    const std::vector<int> inputs = numbers(1600);
    std::vector<int> results;
    std::thread large(
        [&] { results = pool.with({.chunk_size = 200}).on_progress(std::ref(note)).map(sleep_a_little, inputs); });
    while (done == 0)
        std::this_thread::sleep_for(1ms);
    BOOST_TEST(pool.apply(sleep_a_little, 7) == 7);
    const std::size_t before = done;
    large.join();
    BOOST_TEST(results == inputs, boost::test_tools::per_element());
    BOOST_TEST(before < 400u);
}

BOOST_AUTO_TEST_CASE(calls_that_wait_for_room_are_all_answered)
{
    pool_options options;
    options.nodes = 2;
    options.max_pending = 3;
    options.max_pending_bytes = 10'000;
    options.on_overflow = overflow::wait;
    process_pool pool(options);
    std::vector<std::future<std::size_t>> answers;
    for (std::size_t i = 0; i < 100; ++i)
        answers.push_back(pool.submit(size_of, std::string(i * 400, 'x')));
    for (std::size_t i = 0; i < 100; ++i)
        BOOST_TEST(answers[i].get() == i * 400);
    BOOST_TEST(pool.stats().waiting == 0u);
    BOOST_TEST(pool.stats().pending_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(more_bytes_than_may_wait_are_refused)
{
    pool_options options;
    options.nodes = 1;
    options.max_pending_bytes = 10'000;
    process_pool pool(options);
    pool.start();
    auto running = pool.submit(sleep_long, 1);
    std::vector<std::future<std::size_t>> answers;
    for (int i = 0; i < 50; ++i)
        answers.push_back(pool.submit(size_of, std::string(4000, 'x')));
    std::size_t refused = 0;
    for (auto& answer : answers)
        try {
            BOOST_TEST(answer.get() == 4000u);
        }
        catch (const error& e) {
            BOOST_TEST((e.code() == errc::queue_full));
            ++refused;
        }
    BOOST_TEST(refused >= 10u);
    BOOST_TEST(refused < 50u);
    BOOST_TEST(running.get() == 1);
}

BOOST_AUTO_TEST_CASE(threads_refuse_what_means_nothing_for_them)
{
    const auto names = [](const char* member) {
        return [=](const std::invalid_argument& e) { return std::string(e.what()).find(member) != std::string::npos; };
    };
    pool_options rss, bytes, output, spin;
    spin.spin = 1us;
    BOOST_CHECK_EXCEPTION(thread_pool{spin}, std::invalid_argument, names("spin"));
    rss.max_rss_per_child = 1;
    bytes.max_pending_bytes = 1;
    output.child_stderr = error_output::discard;
    BOOST_CHECK_EXCEPTION(thread_pool{rss}, std::invalid_argument, names("max_rss_per_child"));
    BOOST_CHECK_EXCEPTION(thread_pool{bytes}, std::invalid_argument, names("max_pending_bytes"));
    BOOST_CHECK_EXCEPTION(thread_pool{output}, std::invalid_argument, names("child_stderr"));
    for (const double jitter : {-0.1, 1.1, std::nan("")}) {
        pool_options bad;
        bad.recycle_jitter = jitter;
        BOOST_CHECK_EXCEPTION(process_pool{bad}, std::invalid_argument, names("recycle_jitter"));
    }
    pool_options negative;
    negative.max_age_per_child = -1s;
    BOOST_CHECK_EXCEPTION(thread_pool{negative}, std::invalid_argument, names("max_age_per_child"));
}

BOOST_AUTO_TEST_SUITE_END()
