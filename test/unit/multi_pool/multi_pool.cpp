// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

using namespace twat::mp;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

int twice(int x) { return 2 * x; }
int odd_only(int x) { return x % 2 ? x : throw std::domain_error("even"); }

struct no_default
{
    explicit no_default(int x) : value(std::make_unique<int>(x)) {}
    std::unique_ptr<int> value;
};

struct not_assignable
{
    explicit not_assignable(int x) : value(x) {}
    not_assignable(not_assignable&&) = default;
    const int value;
};

auto code_is(errc code)
{
    return [code](const error& e) { return e.code() == code; };
}

std::vector<int> numbers(int count)
{
    std::vector<int> made(count);
    std::iota(made.begin(), made.end(), 0);
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_multi_pool)

BOOST_AUTO_TEST_CASE(map_waits_for_the_results_in_the_order_of_the_input)
{
    thread_pool pool(2);
    const auto inputs = numbers(1000);
    const auto results = pool.map(twice, inputs);
    BOOST_REQUIRE(results.size() == 1000u);
    for (int i = 0; i < 1000; ++i)
        BOOST_REQUIRE(results[i] == 2 * i);
}

BOOST_AUTO_TEST_CASE(an_empty_input_gives_an_empty_result)
{
    thread_pool pool(1);
    BOOST_TEST(pool.map(twice, std::vector<int>()).empty());
    BOOST_TEST(pool.try_map(twice, std::vector<int>()).empty());
    for (int x : pool.imap(twice, std::vector<int>()))
        BOOST_ERROR(x);
}

BOOST_AUTO_TEST_CASE(map_of_several_ranges_stops_with_the_shortest)
{
    thread_pool pool(2);
    const std::vector<int> xs{1, 2, 3}, ys{10, 20};
    BOOST_TEST(pool.map(std::plus<>(), xs, ys) == (std::vector<int>{11, 22}), per_element());
}

BOOST_AUTO_TEST_CASE(starmap_spreads_its_rows)
{
    thread_pool pool(2);
    const std::vector<std::pair<int, int>> rows{{1, 2}, {3, 4}};
    BOOST_TEST(pool.starmap(std::plus<>(), rows) == (std::vector<int>{3, 7}), per_element());
}

BOOST_AUTO_TEST_CASE(the_exception_of_the_lowest_index_is_thrown)
{
    thread_pool pool(2);
    BOOST_CHECK_THROW(pool.map(odd_only, std::vector<int>{1, 2, 3, 4}), std::domain_error);
    BOOST_TEST(pool.apply(twice, 4) == 8); // and the pool goes on
}

BOOST_AUTO_TEST_CASE(try_map_gives_every_element_its_own_result)
{
    thread_pool pool(2);
    const auto results = pool.try_map(odd_only, std::vector<int>{1, 2, 3});
    BOOST_REQUIRE(results.size() == 3u);
    BOOST_TEST(results[0].value() == 1);
    BOOST_TEST(results[1].has_error());
    BOOST_TEST(results[2].value() == 3);
}

BOOST_AUTO_TEST_CASE(the_result_of_apply_needs_only_to_be_movable)
{
    thread_pool pool(1);
    BOOST_TEST(*pool.apply([](int x) { return no_default(x); }, 3).value == 3);
    BOOST_TEST(*pool.submit([](int x) { return no_default(x); }, 4).get().value == 4);
    BOOST_CHECK_THROW(pool.apply([](int) -> no_default { throw std::domain_error("no"); }, 3), std::domain_error);
    BOOST_CHECK_THROW(pool.submit([](int) -> no_default { throw std::domain_error("no"); }, 3).get(),
                      std::domain_error);
}

BOOST_AUTO_TEST_CASE(results_need_only_to_be_move_constructible)
{
    thread_pool pool(2);
    const auto inputs = numbers(10);
    const auto make = [](int x) { return not_assignable(x); };
    BOOST_TEST(pool.apply(make, 3).value == 3);
    BOOST_TEST(pool.submit(make, 4).get().value == 4);
    BOOST_TEST(pool.map(make, inputs).back().value == 9);
    BOOST_TEST(pool.try_map(make, inputs).back()->value == 9);
    int sum = 0;
    for (auto&& made : pool.imap(make, inputs))
        sum += made.value;
    for (auto&& made : pool.uimap(make, inputs))
        sum += made.value;
    BOOST_TEST(sum == 90);
}

BOOST_AUTO_TEST_CASE(tasks_without_results)
{
    thread_pool pool(2);
    std::atomic<int> sum = 0;
    const std::vector<int> inputs{1, 2, 3};
    auto add = [&](int x) { sum += x; };
    pool.map(add, inputs);
    BOOST_TEST(sum == 6);
    pool.apply(add, 4);
    BOOST_TEST(sum == 10);
    pool.amap(add, inputs).get();
    pool.submit(add, 4).get();
    BOOST_TEST(sum == 20);
    BOOST_TEST(pool.try_map(add, inputs).size() == 3u);
    int count = 0;
    for ([[maybe_unused]] std::monostate x : pool.imap(add, inputs))
        ++count;
    BOOST_TEST(count == 3);
}

BOOST_AUTO_TEST_CASE(a_coroutine_task_is_awaited)
{
    thread_pool pool(1);
    auto slow = [](int x) -> asio::awaitable<int> {
        asio::steady_timer timer(this_worker::executor(), 1ms);
        co_await timer.async_wait(asio::use_awaitable);
        co_return x * 2;
    };
    BOOST_TEST(pool.map(slow, std::vector<int>{1, 2}) == (std::vector<int>{2, 4}), per_element());
}

BOOST_AUTO_TEST_CASE(imap_gives_the_results_in_order_and_holds_what_it_needs)
{
    thread_pool pool(2);
    const auto inputs = numbers(100);
    std::vector<int> results;
    for (auto x : pool.with({.chunk_size = 3}).imap(twice, inputs))
        results.push_back(x);
    BOOST_REQUIRE(results.size() == 100u);
    BOOST_TEST(results[99] == 198);
}

BOOST_AUTO_TEST_CASE(uimap_gives_every_result_once)
{
    thread_pool pool(3);
    const auto inputs = numbers(100);
    std::set<int> results;
    auto range = pool.uimap(twice, inputs);
    for (auto it = range.begin(); it != range.end(); ++it) {
        const int x = *it;
        BOOST_TEST(range.index() * 2 == static_cast<unsigned>(x));
        results.insert(x);
    }
    BOOST_TEST(results.size() == 100u);
}

BOOST_AUTO_TEST_CASE(imap_moves_results_out)
{
    thread_pool pool(2);
    const std::vector<int> inputs{1, 2, 3};
    int sum = 0;
    for (auto x : pool.imap([](int x) { return std::make_unique<int>(x); }, inputs))
        sum += *x;
    BOOST_TEST(sum == 6);
}

BOOST_AUTO_TEST_CASE(a_range_goes_on_behind_a_failed_element)
{
    thread_pool pool(2);
    const std::vector<int> inputs{1, 2, 3, 4, 5};
    auto range = pool.imap(odd_only, inputs);
    std::vector<int> seen;
    std::vector<std::uint64_t> failed;
    for (bool more = true; more;) {
        try {
            for (int x : range)
                seen.push_back(x);
            more = false;
        }
        catch (const std::domain_error&) {
            failed.push_back(range.index());
        }
    }
    BOOST_TEST(seen == (std::vector<int>{1, 3, 5}), per_element());
    BOOST_TEST(failed == (std::vector<std::uint64_t>{1, 3}), per_element());
}

// A generator of its own, as not every compiler has a views::iota that it can compile.
struct endless
{
    struct iterator
    {
        using value_type = int;
        using difference_type = std::ptrdiff_t;
        int operator*() const { return at; }
        iterator& operator++()
        {
            ++at;
            return *this;
        }
        void operator++(int) { ++at; }
        int at = 0;
    };
    iterator begin() const { return {}; }
    std::unreachable_sentinel_t end() const { return {}; }
};

BOOST_AUTO_TEST_CASE(an_endless_range_can_be_left)
{
    thread_pool pool(2);
    int last = 0;
    for (int x : pool.imap(twice, endless())) {
        last = x;
        if (x >= 1000)
            break;
    }
    BOOST_TEST(last == 1000);
}

BOOST_AUTO_TEST_CASE(a_range_that_is_left_waits_for_the_tasks_that_run)
{
    thread_pool pool(2);
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> begun = 0, ended = 0;
        const auto inputs = numbers(100);
        for ([[maybe_unused]] int x : pool.imap(
                 [&](const int& x) {
                     ++begun;
                     std::this_thread::sleep_for(std::chrono::milliseconds(x % 3));
                     ++ended;
                     return x;
                 },
                 inputs))
            break;
        // The pool is there still, what the tasks use goes now.
        BOOST_TEST(begun == ended);
        BOOST_TEST(begun < 100);
    }
}

BOOST_AUTO_TEST_CASE(a_task_that_leaves_a_range_waits_too)
{
    thread_pool pool(2);
    for (int round = 0; round < 20; ++round) {
        const bool all_ended = pool.apply([&] {
            std::atomic<int> begun = 0, ended = 0;
            for ([[maybe_unused]] int x : pool.imap(
                     [&](int x) {
                         ++begun;
                         std::this_thread::sleep_for(std::chrono::milliseconds(1));
                         ++ended;
                         return x;
                     },
                     endless()))
                break;
            return begun == ended;
        });
        BOOST_TEST(all_ended);
    }
}

BOOST_AUTO_TEST_CASE(a_range_that_is_left_asks_its_tasks_to_stop)
{
    thread_pool pool(2);
    auto wait_unless_first = [](int x) {
        const std::stop_token stop = this_task::stop_token();
        while (x != 0 && !stop.stop_requested())
            std::this_thread::yield();
        return x;
    };
    const std::vector<int> inputs{0, 1};
    for ([[maybe_unused]] int x : pool.with({.deadline = std::chrono::hours(1)}).imap(wait_unless_first, inputs))
        break;
}

BOOST_AUTO_TEST_CASE(a_coroutine_task_that_leaves_a_range_does_not_wait)
{
    thread_pool pool(1);
    auto inner = [](int milliseconds) -> asio::awaitable<int> {
        asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(milliseconds));
        co_await timer.async_wait(asio::use_awaitable);
        co_return milliseconds;
    };
    auto outer = [&]() -> asio::awaitable<int> {
        {
            auto range = pool.imap(inner, std::vector<int>{1, 3'600'000}); // on the loop of this very worker
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(20));
            co_await timer.async_wait(asio::use_awaitable);
        }
        co_return 7;
    };
    BOOST_TEST(pool.apply(outer) == 7);
}

BOOST_AUTO_TEST_CASE(a_task_may_destroy_its_own_range)
{
    thread_pool pool(2);
    std::atomic<bool> go = false, gone = false;
    std::optional<result_range<int>> range;
    range.emplace(pool.imap(
        [&](int x) {
            go.wait(false);
            range.reset();
            gone = true;
            gone.notify_all();
            return x;
        },
        std::vector<int>{1}));
    go = true;
    go.notify_all();
    gone.wait(false);
    BOOST_TEST(!range);
}

BOOST_AUTO_TEST_CASE(a_task_may_let_go_of_the_pool_while_another_waits_in_a_call)
{
    auto pool = std::make_unique<thread_pool>(3);
    thread_pool& same = *pool;
    auto handle = std::make_optional(same.with({}));
    struct shared_state
    {
        std::atomic<int> inner{0};
        std::atomic<bool> go{false}, dropped{false}, waited{false};
    };
    const auto state = std::make_shared<shared_state>(); // tasks may outlive this test
    auto drops = same.submit([&pool, &handle, state] {
        while (state->inner < 2)
            std::this_thread::yield();
        pool.reset();
        handle.reset();
        state->dropped = true;
    });
    auto waits = same.submit([&same, state] {
        try {
            same.map(
                [state](int x) {
                    ++state->inner;
                    while (!state->go)
                        std::this_thread::yield();
                    return x;
                },
                std::vector<int>(2));
        }
        catch (const boost::system::system_error&) {
            // The pool has ended.
        }
        state->waited = true;
        state->waited.notify_all();
    });
    while (!state->dropped)
        std::this_thread::yield();
    state->go = true;
    state->waited.wait(false);
    BOOST_TEST(!pool);
}

BOOST_AUTO_TEST_CASE(who_came_second_has_a_turn_though_no_worker_was_ready_yet)
{
    std::atomic<bool> go = false;
    pool_options options;
    options.nodes = 1;
    options.initializer = task([&go] { go.wait(false); });
    thread_pool pool(options);
    int ran = 0, ran_before = 0; // there is one worker
    auto many = pool.amap([&](int) { return ++ran; }, numbers(2000));
    auto one = pool.submit([&] { ran_before = ran; });
    go = true;
    go.notify_all();
    one.get();
    many.get();
    BOOST_TEST(ran_before < 100);
}

BOOST_AUTO_TEST_CASE(a_range_may_be_destroyed_in_a_callback)
{
    std::atomic<bool> go = false;
    thread_pool pool(2);
    auto hold = [&](int x) {
        while (!go)
            std::this_thread::yield();
        return x;
    };
    std::optional<result_range<int>> range = pool.with({.window = 1}).imap(hold, endless());
    auto callback = [&](const progress&) { range.reset(); }; // which does not wait: nobody could tell it
    pool.with({}).on_progress(std::ref(callback)).map(twice, numbers(3));
    BOOST_TEST(!range);
    go = true;
}

BOOST_AUTO_TEST_CASE(a_pool_destroyed_in_a_callback_does_not_wait_for_tasks_that_wait_in_nested_calls)
{
    struct shared
    {
        std::optional<thread_pool> pool{std::in_place, 4};
        std::atomic<bool> nested = false, left = false, plain_ended = false;
        std::promise<void> ended;
    };
    const auto state = std::make_shared<shared>();
    auto outer = [](const std::shared_ptr<shared>& s, bool nests) {
        if (!nests) {
            while (!s->left)
                std::this_thread::yield();
            std::this_thread::sleep_for(20ms); // the destructor waits for this one
            s->plain_ended = true;
            return 0;
        }
        const std::shared_ptr<shared> keep = s;
        try {
            s->nested = true;
            s->pool->map(
                [](int) {
                    while (!this_task::stop_token().stop_requested())
                        std::this_thread::yield();
                },
                numbers(1));
        }
        catch (...) {
        }
        keep->ended.set_value();
        return 0;
    };
    auto plain = state->pool->submit(outer, state, false);
    auto nesting = state->pool->submit(outer, state, true);
    while (!state->nested)
        std::this_thread::yield();
    auto callback = [&](const progress&) {
        state->left = true;
        state->pool.reset();
    };
    // The callback runs on the pool's strand, which the nested call needs.
    try {
        state->pool->with({}).on_progress(std::ref(callback)).map(twice, numbers(1));
    }
    catch (const error&) {
    }
    BOOST_REQUIRE(state->ended.get_future().wait_for(60s) == std::future_status::ready);
    BOOST_TEST(state->plain_ended.load());
}

BOOST_AUTO_TEST_CASE(a_range_outlives_its_pool)
{
    std::optional<result_range<int>> range;
    {
        thread_pool pool(1);
        range.emplace(pool.imap(twice, endless()));
        auto first = range->begin();
        BOOST_TEST(*first == 0);
    }
    BOOST_CHECK_EXCEPTION(for (int x : *range) static_cast<void>(x), error, code_is(errc::pool_closed));
}

BOOST_AUTO_TEST_CASE(futures_become_ready_and_may_be_dropped)
{
    std::promise<void> go; // what a task uses whose future is dropped must outlive the pool
    thread_pool pool(2);
    auto squares = pool.amap(twice, std::vector<int>{1, 2, 3});
    auto one = pool.submit(twice, 21);
    auto failed = pool.submit(odd_only, 2);
    {
        // Its destructor does not wait: nobody has let the task go yet.
        auto dropped = pool.submit([&go] { go.get_future().wait(); });
    }
    go.set_value();
    BOOST_TEST(squares.get() == (std::vector<int>{2, 4, 6}), per_element());
    BOOST_TEST(one.get() == 42);
    BOOST_CHECK_THROW(failed.get(), std::domain_error);
}

BOOST_AUTO_TEST_CASE(progress_is_told)
{
    thread_pool pool(2);
    std::size_t done = 0;
    std::optional<std::size_t> total;
    auto callback = [&](const progress& now) {
        done = now.done;
        total = now.total;
    };
    pool.with({}).on_progress(std::ref(callback)).map(twice, numbers(50));
    BOOST_TEST(done == 50u);
    BOOST_TEST(total.value() == 50u);
}

BOOST_AUTO_TEST_CASE(a_blocking_call_in_the_service_thread_is_refused)
{
    thread_pool pool(1);
    std::vector<errc> refused;
    const auto expect_refusal = [&](auto call) {
        try {
            call();
        }
        catch (const error& e) {
            refused.push_back(static_cast<errc>(e.code().value()));
        }
    };
    std::future<int> later;
    auto callback = [&](const progress&) {
        expect_refusal([&] { pool.apply(twice, 1); });
        expect_refusal([&] { pool.map(twice, std::vector<int>{1}); });
        expect_refusal([&] { pool.start(); });
        expect_refusal([&] { pool.join(); });
        expect_refusal([&] { pool.drain(1s); });
        expect_refusal([&] {
            for (int x : pool.imap(twice, std::vector<int>{1}))
                static_cast<void>(x);
        });
        later = pool.submit(twice, 1); // does not block
    };
    pool.with({}).on_progress(std::ref(callback)).apply(twice, 1);
    BOOST_TEST(later.get() == 2);
    BOOST_TEST(refused.size() == 6u);
    for (errc code : refused)
        BOOST_TEST((code == errc::would_deadlock));
}

BOOST_AUTO_TEST_CASE(parallel_calls_may_be_nested)
{
    thread_pool pool(2);
    auto inner = [](int x) { return x + 1; };
    auto middle = [&](int x) {
        const auto results = pool.map(inner, numbers(x + 3));
        return std::accumulate(results.begin(), results.end(), 0);
    };
    auto outer = [&](int x) {
        const auto results = pool.map(middle, numbers(x + 3));
        return std::accumulate(results.begin(), results.end(), 0);
    };
    auto sum = [](int n) { return n * (n + 1) / 2; };
    const auto results = pool.map(outer, numbers(8));
    for (int i = 0; i < 8; ++i) {
        int expected = 0;
        for (int j = 0; j < i + 3; ++j)
            expected += sum(j + 3);
        BOOST_TEST(results[i] == expected);
    }
}

BOOST_AUTO_TEST_CASE(a_task_may_read_a_range_of_its_own_pool)
{
    thread_pool pool(1);
    const int result = pool.apply([&] {
        int sum = 0;
        for (int x : pool.imap(twice, std::vector<int>{1, 2, 3}))
            sum += x;
        return sum;
    });
    BOOST_TEST(result == 12);
}

BOOST_AUTO_TEST_CASE(a_task_may_wait_for_futures_of_its_own_pool)
{
    thread_pool pool(1);
    const int result = pool.apply([&] {
        auto one = pool.submit(twice, 1);
        auto many = pool.amap(twice, numbers(3));
        pool.submit([] {}).get();
        return static_cast<int>(many.get().size()) + one.get();
    });
    BOOST_TEST(result == 5);
    BOOST_CHECK_THROW(pool.apply([&] { return pool.submit(odd_only, 2).get(); }), std::domain_error);
    // It may also be taken out of the task.
    auto later = pool.apply([&] { return pool.submit(twice, 4); });
    BOOST_TEST(later.get() == 8);
}

BOOST_AUTO_TEST_CASE(coroutine_tasks_may_nest_calls_too)
{
    thread_pool pool(1);
    auto inner = [](int x) -> asio::awaitable<int> { co_return x; };
    auto outer = [&](int x) -> asio::awaitable<int> { co_return static_cast<int>(pool.map(inner, numbers(x)).size()); };
    BOOST_TEST(pool.map(outer, std::vector<int>{1, 5, 20}) == (std::vector<int>{1, 5, 20}), per_element());
}

BOOST_AUTO_TEST_CASE(a_nested_failure_passes_through)
{
    thread_pool pool(1);
    auto outer = [&](int) { return pool.map(odd_only, std::vector<int>{1, 2}).size(); };
    BOOST_CHECK_THROW(pool.map(outer, std::vector<int>{1}), std::domain_error);
}

BOOST_AUTO_TEST_CASE(a_task_may_not_join_its_pool)
{
    thread_pool pool(1);
    BOOST_CHECK_EXCEPTION(pool.apply([&] { pool.join(); }), error, code_is(errc::would_deadlock));
    BOOST_CHECK_EXCEPTION(pool.apply([&] { pool.drain(1s); }), error, code_is(errc::would_deadlock));
}

// The thread that waits first runs the pool meanwhile. What it leaves behind must go on without it.
BOOST_AUTO_TEST_CASE(calls_go_on_when_the_thread_that_ran_the_pool_leaves)
{
    thread_pool pool(2);
    for (int round = 0; round < 50; ++round) {
        std::promise<void> begun, go_on;
        auto until = go_on.get_future().share();
        std::thread leader([&] {
            pool.apply([&] {
                begun.set_value();
                until.wait();
            });
        });
        begun.get_future().wait();
        std::promise<void> second_begun, go_on_too;
        auto until_too = go_on_too.get_future().share();
        std::thread follower([&] {
            BOOST_TEST(pool.apply([&] {
                second_begun.set_value();
                until_too.wait();
                return 7;
            }) == 7);
        });
        second_begun.get_future().wait();
        go_on.set_value();
        leader.join();
        auto later = pool.submit(twice, 4); // waits for a worker, which the first task has left
        BOOST_TEST(later.get() == 8);       // nobody waits in the pool for this one
        go_on_too.set_value();
        follower.join();
    }
}

BOOST_AUTO_TEST_CASE(callbacks_are_in_no_task_whoever_runs_them)
{
    thread_pool outer(1), pool(1);
    int called = 0;
    bool in_task = false;
    auto callback = [&](const progress&) {
        ++called;
        in_task = in_task || this_worker::is_worker();
    };
    BOOST_TEST(outer.apply([&] {
        // this task's thread runs `pool` meanwhile
        pool.with({}).on_progress(std::ref(callback)).map(twice, numbers(50));
        return this_worker::is_worker();
    }));
    BOOST_TEST(called > 0);
    BOOST_TEST(!in_task);
}

BOOST_AUTO_TEST_CASE(many_threads_may_share_a_pool)
{
    thread_pool pool(2);
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> callers;
        for (int t = 0; t < 6; ++t)
            callers.emplace_back([&] {
                for (int i = 0; i < 30; ++i)
                    right += pool.map(twice, numbers(20)).back() == 38;
            });
    }
    BOOST_TEST(right == 180);
}

BOOST_AUTO_TEST_CASE(a_closed_pool_takes_no_calls)
{
    thread_pool pool(1);
    pool.start();
    BOOST_TEST(pool.nodes() == 1u);
    BOOST_TEST(pool.stats().ready == 1u);
    pool.close();
    BOOST_CHECK_EXCEPTION(pool.apply(twice, 1), error, code_is(errc::pool_closed));
    BOOST_CHECK_EXCEPTION(pool.submit(twice, 1).get(), error, code_is(errc::pool_closed));
    pool.join();
    pool.join();
}

BOOST_AUTO_TEST_CASE(a_pool_is_drained_in_time_or_not)
{
    thread_pool quick(2);
    auto done = quick.amap(twice, numbers(10));
    const drain_report all = quick.drain(1h);
    BOOST_TEST(all.in_time);
    BOOST_TEST(all.finished == 1u);
    BOOST_TEST(all.tasks == 10u);
    BOOST_TEST(done.get().size() == 10u);
    thread_pool slow(1);
    auto stopped = slow.submit([] {
        while (!this_task::stop_token().stop_requested())
            std::this_thread::yield();
    });
    const drain_report rest = slow.drain(20ms);
    BOOST_TEST(!rest.in_time);
    BOOST_TEST(rest.terminated == 1u);
    BOOST_CHECK_EXCEPTION(stopped.get(), error, code_is(errc::pool_terminated));
}

BOOST_AUTO_TEST_CASE(a_handle_may_outlive_the_pool)
{
    std::optional<thread_pool> pool(std::in_place, 1);
    auto handle = pool->with({});
    pool.reset();
    BOOST_CHECK_EXCEPTION(handle.apply(twice, 1), error, code_is(errc::pool_closed));
    BOOST_CHECK_EXCEPTION(handle.submit(twice, 1).get(), error, code_is(errc::pool_closed));
    auto range = handle.imap(twice, std::vector<int>{1});
    BOOST_CHECK_EXCEPTION(range.begin(), error, code_is(errc::pool_closed));
}

BOOST_AUTO_TEST_CASE(a_range_of_known_length_can_be_read_to_its_end_after_a_join)
{
    std::vector<int> inputs(100);
    std::iota(inputs.begin(), inputs.end(), 0);
    std::optional<thread_pool> pool(std::in_place, 2);
    auto range = pool->imap(twice, inputs);
    BOOST_TEST(*range.begin() == 0);
    pool.reset();
    int last = 0, count = 0;
    for (int x : range)
        last = x, ++count;
    BOOST_TEST(last == 198);
    BOOST_TEST(count >= 99);
}

BOOST_AUTO_TEST_CASE(a_failed_task_shows_its_input)
{
    thread_pool pool(1);
    try {
        pool.map([](int x) -> int { throw std::runtime_error(std::to_string(x)); }, std::vector<int>{42});
        BOOST_TEST(false);
    }
    catch (const std::runtime_error& e) {
        const std::string* input = boost::get_error_info<errinfo_input>(e);
        BOOST_TEST_REQUIRE(input);
        BOOST_TEST(*input == "42");
    }
}

BOOST_AUTO_TEST_CASE(the_destructor_waits_for_what_was_submitted)
{
    std::atomic<int> done = 0;
    {
        thread_pool pool(1);
        for (int i = 0; i < 10; ++i)
            pool.submit([&] { ++done; });
    }
    BOOST_TEST(done == 10);
}

BOOST_AUTO_TEST_CASE(the_destructor_terminates_because_of_an_exception)
{
    std::atomic<int> begun = 0;
    std::vector<std::future<void>> all;
    std::promise<void> first;
    try {
        thread_pool pool(1);
        for (int i = 0; i < 10; ++i)
            all.push_back(pool.submit([&] {
                if (++begun == 1)
                    first.set_value();
                while (!this_task::stop_token().stop_requested())
                    std::this_thread::yield();
            }));
        first.get_future().wait();
        throw std::runtime_error("leave");
    }
    catch (const std::runtime_error&) {
    }
    BOOST_TEST(begun == 1);
    for (auto& one : all)
        BOOST_CHECK_EXCEPTION(one.get(), error, code_is(errc::pool_terminated));
}

BOOST_AUTO_TEST_CASE(terminate_ends_a_call_in_another_thread)
{
    std::promise<void> begun;
    thread_pool pool(1);
    std::jthread other([&] {
        begun.get_future().wait();
        pool.terminate();
    });
    BOOST_CHECK_EXCEPTION(pool.apply([&] {
        begun.set_value();
        while (!this_task::stop_token().stop_requested())
            std::this_thread::yield();
    }),
                          error, code_is(errc::pool_terminated));
}

BOOST_AUTO_TEST_CASE(a_task_may_destroy_its_pool)
{
    auto* pool = new thread_pool(2);
    std::promise<void> destroyed;
    auto later = pool->submit([&, pool] {
        delete pool;
        destroyed.set_value();
    });
    destroyed.get_future().wait();
    BOOST_CHECK_THROW(later.get(), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(bad_options_are_named)
{
    const auto names = [](const char* member) {
        return [=](const std::invalid_argument& e) { return std::string(e.what()).find(member) != std::string::npos; };
    };
    BOOST_CHECK_EXCEPTION(thread_pool({.stop_grace = -1ms}), std::invalid_argument, names("stop_grace"));
    thread_pool pool(1);
    BOOST_CHECK_EXCEPTION(pool.with({.timeout = -1ms}), std::invalid_argument, names("timeout"));
    BOOST_CHECK_EXCEPTION(pool.with({.deadline = -1ms}), std::invalid_argument, names("deadline"));
    BOOST_CHECK_EXCEPTION(pool.with({.queue_timeout = -1ms}), std::invalid_argument, names("queue_timeout"));
    BOOST_CHECK_EXCEPTION(pool.with({.prio = static_cast<priority>(7)}), std::invalid_argument, names("prio"));
    BOOST_CHECK_EXCEPTION(pool.with({.cancel_limit = static_cast<boost::asio::cancellation_type>(1000)}),
                          std::invalid_argument, names("cancel_limit"));
}

BOOST_AUTO_TEST_CASE(a_forked_process_may_not_use_the_pool)
{
    auto pool = std::make_unique<thread_pool>(1);
    pool->start();
    const pid_t child = ::fork();
    if (child == 0) {
        int refused = 0;
        try {
            pool->apply(twice, 1);
        }
        catch (const std::logic_error&) {
            ++refused;
        }
        try {
            pool->map(twice, std::vector<int>{1});
        }
        catch (const std::logic_error&) {
            ++refused;
        }
        try {
            pool->submit(twice, 1);
        }
        catch (const std::logic_error&) {
            ++refused;
        }
        try {
            pool->imap(twice, std::vector<int>{1});
        }
        catch (const std::logic_error&) {
            ++refused;
        }
        try {
            pool->join();
        }
        catch (const std::logic_error&) {
            ++refused;
        }
        pool.reset(); // returns
        ::_exit(refused);
    }
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 5);
    BOOST_TEST(pool->apply(twice, 1) == 2);
}

// What waits for room may wait for the very worker that makes the nested call.
BOOST_AUTO_TEST_CASE(a_nested_call_needs_no_room)
{
    for (const std::size_t nodes : {1u, 2u}) {
        pool_options options;
        options.nodes = nodes;
        options.max_pending = 1;
        options.on_overflow = overflow::wait;
        thread_pool pool(options);
        const auto outer = [&pool](int x) {
            const std::vector<int> parts{x, x, x};
            int sum = pool.apply([](int y) { return y; }, x);
            for (const int part : pool.map([](int y) { return y; }, parts))
                sum += part;
            for (const int part : pool.imap([](int y) { return y; }, parts))
                sum += part;
            return sum;
        };
        std::vector<std::future<int>> calls;
        for (int x = 0; x != 20; ++x)
            calls.push_back(pool.submit(outer, x));
        for (int x = 0; x != 20; ++x)
            BOOST_TEST(calls[static_cast<std::size_t>(x)].get() == 7 * x);
    }
}

BOOST_AUTO_TEST_CASE(a_nested_call_is_not_refused_where_others_are)
{
    pool_options options;
    options.nodes = 1;
    options.max_pending = 1;
    thread_pool pool(options);
    std::promise<void> go;
    auto holding = pool.submit([&pool, gone = go.get_future().share()] {
        gone.wait();
        return pool.apply([] { return 1; });
    });
    while (pool.stats().busy == 0)
        std::this_thread::yield();
    auto waiting = pool.submit([] { return 2; });
    BOOST_CHECK_THROW(pool.submit([] { return 3; }).get(), error);
    go.set_value();
    BOOST_TEST(holding.get() == 1);
    BOOST_TEST(waiting.get() == 2);
}

BOOST_AUTO_TEST_SUITE_END()
