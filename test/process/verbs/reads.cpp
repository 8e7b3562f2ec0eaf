// SPDX-License-Identifier: BSL-1.0
#include "blocking_pools.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

int no_threes(int x) { return x == 3 ? throw std::domain_error("three") : x; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_reads)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_range_is_read_without_waiting_for_ever, Pool, blocking_pools)
{
    Pool pool(1);
    auto results = pool.imap([](int x) { return x == 1 ? until_stopped(x) : x; }, numbers(2));
    std::optional<int> first;
    while (!first)
        first = results.try_next();
    BOOST_TEST(*first == 0);
    BOOST_TEST(!results.try_next());
    BOOST_TEST(!results.next_for(10ms));
    BOOST_TEST(!results.next_for(-1s));
    BOOST_TEST(!results.ended());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_is_lost_between_reads_of_all_kinds, Pool, blocking_pools)
{
    Pool pool(2);
    auto results = pool.with({.window = 8}).imap(no_threes, std::views::iota(0, 500));
    int expected = 0, failed = 0;
    for (int round = 0; !results.ended(); ++round) {
        try {
            const auto value = round % 3 == 0   ? results.try_next()
                               : round % 3 == 1 ? results.next_for(1s)
                                                : results.next_for(1ns);
            if (value)
                BOOST_TEST_REQUIRE(*value == expected++);
        }
        catch (const std::domain_error&) {
            ++failed;
            BOOST_TEST_REQUIRE(expected++ == 3);
            BOOST_TEST(results.index() == 3u);
        }
    }
    BOOST_TEST(expected == 500);
    BOOST_TEST(failed == 1);
    BOOST_TEST(!results.next());
    BOOST_TEST(!results.try_next());
    BOOST_TEST(!results.next_for(1h));
}

BOOST_AUTO_TEST_CASE(a_read_in_a_task_waits_for_a_limited_time)
{
    std::atomic<bool> go{false};
    thread_pool pool(1);
    const int sum = pool.apply([&] {
        auto results = pool.imap([&](int x) { return x; }, numbers(3));
        int sum = 0;
        while (!results.ended())
            sum += results.next_for(100s).value_or(0);
        return sum;
    });
    BOOST_TEST(sum == 3);
    // Nothing of the pool wakes this one: its only worker waits for the range of another pool.
    thread_pool other(1);
    const bool got = pool.apply([&] {
        auto results = other.imap(
            [&](int x) {
                while (!go)
                    std::this_thread::yield();
                return x;
            },
            numbers(1));
        const bool got = results.next_for(20ms).has_value();
        go = true;
        return got;
    });
    BOOST_TEST(!got);
    // Nor this one: a guest that has nothing to run.
    go = false;
    const bool read = pool.apply([&] {
        auto results = pool.with({.window = 1}).imap([&](int x) { return x; }, std::views::iota(0));
        results.next();
        auto rest = results.next_for(20ms);
        return rest.has_value();
    });
    BOOST_TEST(read);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_is_read_without_waiting_for_ever, Pool, awaitable_pools)
{
    io_context_fixture loop;
    Pool pool(loop.ctx, 2);
    loop.run_coro([&]() -> asio::awaitable<void> {
        const auto inputs = numbers(500);
        auto handle = pool.with({.window = 8});
        auto stream = handle.imap(no_threes, inputs);
        int expected = 0, failed = 0;
        for (int round = 0; !stream.ended(); ++round) {
            try {
                std::optional<int> value;
                if (round % 3 == 0)
                    value = stream.try_next();
                else
                    value = co_await stream.next_for(round % 3 == 1 ? duration(1s) : duration(1ns));
                if (value)
                    BOOST_TEST_REQUIRE(*value == expected++);
            }
            catch (const std::domain_error&) {
                ++failed;
                BOOST_TEST_REQUIRE(expected++ == 3);
            }
        }
        BOOST_TEST(expected == 500);
        BOOST_TEST(failed == 1);
        const auto at_end = co_await stream.next_for(1h);
        BOOST_TEST(!at_end);
        BOOST_TEST(!stream.try_next());
        // of its own: tasks of a dropped stream may use a referred container longer
        auto waiting = pool.imap(until_stopped, numbers(500));
        const auto none = co_await waiting.next_for(10ms);
        BOOST_TEST(!none);
        BOOST_TEST(!waiting.ended());
    });
}

BOOST_AUTO_TEST_CASE(a_limited_read_can_be_cancelled_and_leaves_no_timer)
{
    io_context_fixture loop;
    async_thread_pool pool(loop.ctx, 1);
    result_stream<int> none;
    BOOST_TEST(none.ended());
    BOOST_TEST(!none.try_next());
    const auto inputs = numbers(1);
    auto stream = pool.imap(twice, inputs);
    bool read = false;
    stream.next_for(1h, [&](std::exception_ptr, std::optional<int> value) { read = value == 0; });
    loop.run(); // would run for an hour
    BOOST_TEST(read);
    auto waiting = pool.imap(until_stopped, numbers(1));
    asio::cancellation_signal signal;
    bool cancelled = false;
    waiting.next_for(1h, asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, std::optional<int>) {
                         cancelled = error != nullptr;
                     }));
    asio::post(loop.ctx, [&] { signal.emit(asio::cancellation_type::terminal); });
    loop.ctx.restart();
    while (!cancelled)
        loop.ctx.run_one();
}

BOOST_AUTO_TEST_SUITE_END()
