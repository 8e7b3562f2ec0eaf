// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "start/task_executor.hpp"

#include <twat/mp/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

namespace {

/// A worker's loop, which this thread runs.
struct loop
{
    loop()
    {
        context.executor = io.get_executor();
        context.on_cpu = &mark;
        before = enter_worker(&context);
    }
    ~loop() { enter_worker(before); }

    coroutine_task& add(std::uint64_t of)
    {
        coroutine_task& task = places.take(context);
        task.mark = of;
        return task;
    }
    asio::any_io_executor executor_of(coroutine_task& task) { return task_executor(io.get_executor(), task); }
    void note() { seen.push_back(mark); }

    std::atomic<std::uint64_t> mark{0};
    worker_context context;
    worker_context* before = nullptr;
    coroutine_places places;
    asio::io_context io{1};
    std::vector<std::uint64_t> seen;
};

asio::awaitable<void> steps(loop& l, int n)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i < n; ++i) {
        l.note();
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
    l.note();
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_task_executor)

BOOST_FIXTURE_TEST_CASE(a_coroutine_is_marked_whenever_it_runs_and_nobody_is_in_between, loop)
{
    asio::co_spawn(executor_of(add(1)), steps(*this, 3), asio::detached);
    asio::co_spawn(executor_of(add(2)), steps(*this, 3), asio::detached);
    asio::co_spawn(io, steps(*this, 1), asio::detached);
    std::vector<std::uint64_t> between;
    while (io.run_one() != 0)
        between.push_back(mark);
    for (const std::uint64_t m : between)
        BOOST_TEST(m == 0u);
    BOOST_TEST(std::count(seen.begin(), seen.end(), 1u) == 4);
    BOOST_TEST(std::count(seen.begin(), seen.end(), 2u) == 4);
    BOOST_TEST(std::count(seen.begin(), seen.end(), 0u) == 2);
}

BOOST_FIXTURE_TEST_CASE(one_that_runs_another_at_once_is_marked_again_behind_it, loop)
{
    const auto a = executor_of(add(1)), b = executor_of(add(2));
    asio::post(a, [&] {
        note();
        asio::dispatch(b, [&] { note(); });
        note();
        asio::dispatch(b, [] { throw std::runtime_error("Asio keeps it for the end of this"); });
        note();
    });
    BOOST_CHECK_THROW(io.run(), std::runtime_error);
    BOOST_TEST(seen == (std::vector<std::uint64_t>{1, 2, 1, 1}));
    BOOST_TEST(mark == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_a_task_spawns_posts_or_puts_on_a_strand_is_marked_as_it_is, loop)
{
    const auto executor = executor_of(add(1));
    asio::post(executor, [&] {
        asio::post(this_worker::executor(), [&] { note(); });
        asio::co_spawn(this_worker::executor(), steps(*this, 1), asio::detached);
        asio::post(asio::make_strand(executor), [&] { note(); });
    });
    io.run();
    BOOST_TEST(seen == std::vector<std::uint64_t>(4, 1));
}

BOOST_FIXTURE_TEST_CASE(what_is_left_of_an_ended_task_is_nobody_s, loop)
{
    coroutine_task& task = add(1);
    const auto executor = executor_of(task);
    asio::post(executor, [&] { note(); });
    places.give_back(task);
    BOOST_TEST(&add(2) == &task); // the same place
    asio::post(executor_of(task), [&] { note(); });
    io.run();
    BOOST_TEST(seen == (std::vector<std::uint64_t>{0, 2}));
}

BOOST_FIXTURE_TEST_CASE(an_exception_that_nobody_catches_leaves_the_mark, loop)
{
    asio::post(executor_of(add(1)), [] { throw std::runtime_error("the end"); });
    BOOST_CHECK_THROW(io.run(), std::runtime_error);
    BOOST_TEST(mark == 1u);
}

BOOST_FIXTURE_TEST_CASE(it_is_the_executor_of_its_context, loop)
{
    coroutine_task& task = add(1);
    const auto executor = executor_of(task);
    BOOST_TEST((&asio::query(executor, asio::execution::context) == &static_cast<asio::execution_context&>(io)));
    BOOST_TEST((executor == executor_of(task)));
    BOOST_TEST((executor != executor_of(add(2))));
    BOOST_TEST((executor != asio::any_io_executor(io.get_executor())));
    {
        const auto work = asio::prefer(executor, asio::execution::outstanding_work.tracked);
        io.poll();
        BOOST_TEST(!io.stopped());
    }
    io.restart();
    io.poll();
    BOOST_TEST(io.stopped());
}

BOOST_FIXTURE_TEST_CASE(it_fits_into_any_io_executor, loop)
{
    static_assert(sizeof(task_executor<>) <= 3 * sizeof(void*)); // what it holds without an allocation
    static_assert(std::is_nothrow_move_constructible_v<task_executor<>>);
}

BOOST_FIXTURE_TEST_CASE(this_task_answers_for_the_one_on_the_cpu, loop)
{
    coroutine_task& limited = add(1);
    coroutine_task& free = add(2);
    limited.deadline = std::chrono::steady_clock::now() + 1h;
    std::vector<duration> left;
    std::stop_token token;
    asio::post(executor_of(limited), [&] {
        left.push_back(this_task::remaining());
        asio::dispatch(executor_of(free), [&] { left.push_back(this_task::remaining()); });
        left.push_back(this_task::remaining());
        token = this_task::stop_token();
    });
    io.run();
    BOOST_TEST((left[0] > 30min && left[0] <= 1h));
    BOOST_TEST((left[1] == duration::max()));
    BOOST_TEST((left[2] > 30min && left[2] <= 1h));
    BOOST_TEST((this_task::remaining() == duration::max()));
    BOOST_TEST(token.stop_possible());
    BOOST_TEST(!token.stop_requested());
    limited.cancel();
    BOOST_TEST(token.stop_requested());
    free.cancel();
    BOOST_TEST(free.stop_token().stop_requested()); // asked for too late
}

BOOST_AUTO_TEST_SUITE_END()
