// SPDX-License-Identifier: BSL-1.0
// reduce, filter and for_each of functions that are coroutines.
#include "blocking_pools.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/exception/get_error_info.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/worker_died.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using all_blocking_pools = boost::mp11::mp_list<thread_pool, process_pool, inline_pool, inline_process_pool>;

std::string text(int x) { return std::to_string(x) + ","; }
/// Goes on later, the sooner the larger the last digit: not in the order of the calls.
asio::awaitable<void> suspend(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(100 * (9 - x % 10)));
    co_await timer.async_wait(asio::use_awaitable);
}
std::string texts(int count)
{
    std::string all;
    for (int i = 0; i < count; ++i)
        all += text(i);
    return all;
}
asio::awaitable<std::string> text_later(const int& x)
{
    co_await suspend(x);
    co_return text(x);
}
asio::awaitable<long> product_later(int x, long y)
{
    co_await suspend(x);
    co_return x* y;
}
asio::awaitable<bool> is_long_later(const std::string& word)
{
    co_await suspend(0);
    co_return word.size() > 1;
}
asio::awaitable<int> no_77_later(int x)
{
    co_await suspend(x);
    co_return x == 77 ? throw std::domain_error("not this one") : x;
}
asio::awaitable<bool> no_77_and_odd(int x) { co_return co_await no_77_later(x) % 2 != 0; }
asio::awaitable<int> own_index(int x)
{
    const auto before = this_task::index();
    co_await suspend(x);
    co_return before == std::uint64_t(x) && this_task::index() == before ? 1 : 0;
}
asio::awaitable<void> wait_for_ever(int)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}
asio::awaitable<int> first_call_throws(int x)
{
    static int calls = 0; // of this worker
    if (++calls == 1)
        throw std::runtime_error("busy");
    co_await suspend(x);
    co_return x;
}
asio::awaitable<int> die_at_77_later(int x)
{
    co_await suspend(x);
    if (x == 77)
        std::raise(SIGKILL);
    co_return x;
}
/// Returns when as many calls were suspended at once as there may be, and says how many there were.
template <int Call>
asio::awaitable<int> await_four(int)
{
    static std::atomic<int> running{0}, most{0}; // in this worker, for this call
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    while (most < 4) {
        asio::steady_timer timer(co_await asio::this_coro::executor, 100us);
        co_await timer.async_wait(asio::use_awaitable);
    }
    co_await suspend(0); // so that a fifth would be seen
    --running;
    co_return most;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_coroutine_folds)

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_are_folded_in_order, Pool, all_blocking_pools)
{
    Pool pool;
    const std::string expected = "begin," + texts(200);
    const auto inputs = numbers(200);
    BOOST_TEST(pool.reduce(text_later, std::plus<>(), std::string("begin,"), inputs) == expected);
    BOOST_TEST(pool.with({.chunk_size = 7}).reduce(text_later, std::plus<>(), "begin,", inputs) == expected);
    BOOST_TEST(pool.with({.deterministic = true}).reduce(text_later, std::plus<>(), "begin,", numbers(200)) ==
               expected);
    BOOST_TEST(pool.reduce(text_later, std::plus<>(), "begin,", std::list<int>(inputs.begin(), inputs.end())) ==
               expected);
    BOOST_TEST(pool.reduce(text_later, std::plus<>(), "begin,",
                           inputs | std::views::filter([](int) { return true; })) == expected);
    BOOST_TEST(pool.reduce(text_later, std::plus<>(), std::string("none"), std::vector<int>()) == "none");
    BOOST_TEST(pool.transform_reduce(inputs, std::views::iota(0L), 0L, std::plus<>(), product_later) == 2646700L);
    BOOST_TEST(pool.with({.chunk_size = 7}).reduce(own_index, std::plus<>(), 0, std::views::iota(0, 200)) == 200);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_filter, Pool, all_blocking_pools)
{
    Pool pool;
    std::vector<std::string> words, expected;
    for (int i = 0; i < 100; ++i)
        words.push_back(std::to_string(i % 20));
    std::ranges::copy_if(words, std::back_inserter(expected), [](const std::string& w) { return w.size() > 1; });
    const auto copy = words;
    BOOST_TEST(pool.filter(is_long_later, words) == expected, per_element());
    BOOST_TEST(words == copy, per_element());
    BOOST_TEST(pool.with({.chunk_size = 9}).filter(is_long_later, std::move(words)) == expected, per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failures_of_coroutines_tell_their_element, Pool, all_blocking_pools)
{
    Pool pool;
    const auto inputs = numbers(100);
    const auto at_77 = [](const std::domain_error& e) {
        const auto* input = boost::get_error_info<errinfo_input>(dynamic_cast<const boost::exception&>(e));
        return task_index(std::current_exception()) == 77u && input && *input == "77";
    };
    auto handle = pool.with({.chunk_size = 10});
    BOOST_CHECK_EXCEPTION(handle.reduce(no_77_later, std::plus<>(), 0, inputs), std::domain_error, at_77);
    BOOST_CHECK_EXCEPTION(handle.for_each(no_77_later, inputs), std::domain_error, at_77);
    BOOST_CHECK_EXCEPTION(handle.filter(no_77_and_odd, inputs), std::domain_error, at_77);
    BOOST_CHECK_THROW(handle.reduce(
                          product_later, [](long, long) -> long { throw std::range_error("op"); }, 0L, inputs, inputs),
                      std::range_error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_awaits_coroutines_of_several_parts, Pool, blocking_pools)
{
    Pool pool(pool_options{.nodes = 1, .child_concurrency = 4});
    const auto most = [](int a, int b) { return std::max(a, b); };
    BOOST_TEST(pool.with({.deadline = 60s}).reduce(await_four<0>, most, 0, numbers(40)) == 4);
    BOOST_TEST(pool.with({.chunk_size = 3, .deadline = 60s}).reduce(await_four<1>, most, 0, numbers(40)) == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(coroutines_of_a_fold_are_cancelled, Pool, blocking_pools)
{
    Pool pool(2);
    std::stop_source source;
    std::jthread stopper([&] {
        await_running_task(pool);
        source.request_stop();
    });
    BOOST_CHECK_EXCEPTION(pool.for_each(wait_for_ever, numbers(100), source.get_token()), boost::system::system_error,
                          is_aborted);
    BOOST_CHECK_EXCEPTION(pool.with({.timeout = 10ms}).for_each(wait_for_ever, numbers(3)), error,
                          [](const error& e) { return e.code() == errc::task_timed_out; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_part_of_coroutines_is_retried, Pool, blocking_pools)
{
    Pool pool(1);
    call_options options{.chunk_size = 50};
    options.retry.attempts = 2;
    BOOST_TEST(pool.with(options).reduce(first_call_throws, std::plus<>(), 0, numbers(50)) == 1225);
    BOOST_TEST(pool.stats().retried == 1u);
}

BOOST_AUTO_TEST_CASE(a_death_of_a_coroutine_tells_its_part)
{
    process_pool pool({.nodes = 2, .child_concurrency = 1}); // no other part dies beside it
    const auto in_its_part = [](const worker_died&) {
        const auto index = task_index(std::current_exception());
        return index && *index == 70u;
    };
    BOOST_CHECK_EXCEPTION(pool.with({.chunk_size = 10}).reduce(die_at_77_later, std::plus<>(), 0, numbers(80)),
                          worker_died, in_its_part);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(awaitable_pools_fold_coroutines, Pool, awaitable_pools)
{
    io_context_fixture loop;
    Pool pool(loop.ctx, 2);
    loop.run_coro([&]() -> asio::awaitable<void> {
        const auto few = numbers(100);
        const std::string begin;
        const std::string found = co_await pool.reduce(text_later, std::plus<>(), begin, few);
        BOOST_TEST(found == texts(100));
        const auto kept = co_await pool.filter(no_77_and_odd, std::views::iota(0, 50));
        BOOST_TEST(kept.size() == 25u);
        co_await pool.for_each(text_later, few);
    });
}

BOOST_AUTO_TEST_SUITE_END()
