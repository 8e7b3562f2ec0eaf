// SPDX-License-Identifier: BSL-1.0
// What the busy workers of a pool do.
#include <twat/mp/pool_dump.hpp>

#include <twat/mp/any_pool.hpp>
#include <twat/mp/async_pool.hpp>
#include <twat/mp/inline_pool.hpp>
#include <twat/mp/multi_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include "os/symbols.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

namespace dump_test {

std::atomic<bool> over{false}; // on threads

[[gnu::noinline]] int sleep_on(int x)
{
    for (int i = 0; i < 6000 && !over; ++i)
        std::this_thread::sleep_for(10ms);
    return x;
}

[[gnu::noinline]] int sleep_deaf(int x)
{
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    return sleep_on(x);
}

boost::asio::awaitable<int> wait_on(int x)
{
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return x;
}

} // namespace dump_test

namespace {

using namespace dump_test;

template <class Done>
void wait_until(Done done)
{
    for (int i = 0; i < 6000 && !done(); ++i)
        std::this_thread::sleep_for(10ms);
    BOOST_REQUIRE(done());
}

bool has_function(const stacktrace& stack, const std::string& name)
{
    return std::ranges::any_of(stack.frames(),
                               [&](const stacktrace::frame& f) { return f.function.find(name) != std::string::npos; });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A dump in which that many workers are seen in `sleep_on`.
template <class Pool>
pool_dump dump_of_sleepers(Pool& pool, std::size_t workers)
{
    pool_dump found;
    wait_until([&] {
        found = pool.dump();
        return found.workers.size() == workers && std::ranges::all_of(found.workers, [](const dumped_worker& worker) {
                   // For the engine a task runs as soon as it is sent: its worker may still be on the way to it, and on a
                   // busy machine one need not answer in time.
                   return detail::can_look_up() ? has_function(worker.stack, "dump_test::sleep_on")
                                                : !worker.stack.frames().empty();
               });
    });
    return found;
}

struct guard
{
    guard() { over = false; }
    ~guard() { over = true; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_dump)

BOOST_AUTO_TEST_CASE(busy_processes_tell_what_they_do)
{
    if (TWAT_MP_TEST_TSAN)
        return; // it holds signals back
    process_pool pool(3);
    pool.start();
    BOOST_TEST(pool.dump().workers.empty());
    BOOST_TEST(contains(pool.dump().to_string(), "no worker is busy"));
    auto calls = pool.with({.label = "dozing"}).amap(sleep_on, std::vector<int>{1, 2});
    const pool_dump found = dump_of_sleepers(pool, 2);
    std::vector<std::uint64_t> indices;
    for (const dumped_worker& worker : found.workers) {
        BOOST_TEST(worker.pid != 0);
        BOOST_TEST(worker.pid != ::getpid());
        BOOST_REQUIRE_EQUAL(worker.tasks.size(), 1u);
        const dumped_task& task = worker.tasks.front();
        indices.push_back(task.index);
        BOOST_TEST(task.label == "dozing");
        BOOST_TEST(contains(task.function, "int (*)(int)"), task.function);
        BOOST_TEST(task.since.has_value());
        BOOST_TEST(!task.suspended);
    }
    std::ranges::sort(indices);
    BOOST_TEST((indices == std::vector<std::uint64_t>{0, 1}));
    const std::string text = found.to_string();
    BOOST_TEST(contains(text, "2 busy"), text);
    BOOST_TEST(contains(text, "runs task 1 of dozing for "), text);
    pool.terminate();
    BOOST_TEST(pool.dump().workers.empty());
}

BOOST_AUTO_TEST_CASE(busy_threads_tell_what_they_do)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    const guard ends;
    thread_pool pool(2);
    auto calls = pool.with({.label = "dozing"}).amap(sleep_on, std::vector<int>{1, 2});
    const pool_dump found = dump_of_sleepers(pool, 2);
    for (const dumped_worker& worker : found.workers) {
        if (detail::can_look_up())
            BOOST_TEST(worker.stack.where().starts_with("at dump_test::sleep_on(int)"), worker.stack.where());
        BOOST_TEST(worker.pid == ::getpid());
        BOOST_TEST(worker.thread != ::getpid());
        BOOST_REQUIRE_EQUAL(worker.tasks.size(), 1u);
        BOOST_TEST(worker.tasks.front().label == "dozing");
        BOOST_TEST(contains(worker.tasks.front().function, "int (*)(int)"), worker.tasks.front().function);
    }
    over = true;
    calls.get();
}

BOOST_AUTO_TEST_CASE(threads_in_a_call_of_an_inline_pool_tell_what_they_do)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    const auto check = [](auto& pool) {
        BOOST_TEST(pool.dump().workers.empty());
        const guard ends;
        auto call = std::async(std::launch::async, [&] { return pool.with({.label = "dozing"}).apply(sleep_on, 3); });
        const pool_dump found = dump_of_sleepers(pool, 1);
        const dumped_worker& worker = found.workers.front();
        BOOST_TEST(worker.index == 0u);
        BOOST_TEST(worker.pid == ::getpid());
        BOOST_TEST(worker.thread != ::gettid());
        BOOST_REQUIRE_EQUAL(worker.tasks.size(), 1u);
        BOOST_TEST(worker.tasks.front().label == "dozing");
        BOOST_TEST(worker.tasks.front().since.has_value());
        BOOST_TEST(contains(worker.tasks.front().function, "int (*)(int)"), worker.tasks.front().function);
        over = true;
        BOOST_TEST(call.get() == 3);
        BOOST_TEST(pool.dump().workers.empty());
    };
    inline_pool plain;
    check(plain);
    inline_process_pool encoding;
    check(encoding);
}

BOOST_AUTO_TEST_CASE(a_task_of_an_inline_pool_may_ask_too)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    inline_pool pool;
    const pool_dump found = pool.apply([&] { return pool.apply([&] { return pool.dump(); }); });
    BOOST_REQUIRE_EQUAL(found.workers.size(), 1u);
    BOOST_TEST(found.workers.front().thread == ::gettid());
    BOOST_TEST(found.workers.front().tasks.size() == 2u); // one in the other
    BOOST_TEST((!found.workers.front().stack.frames().empty() || !found.workers.front().stack.note().empty()));
}

BOOST_AUTO_TEST_CASE(an_inline_pool_on_a_loop_tells_while_another_thread_runs_it_too)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    boost::asio::io_context context;
    const auto work = boost::asio::make_work_guard(context);
    const std::jthread first([&] { context.run(); }), second([&] { context.run(); });
    const std::shared_ptr<void> stops(nullptr, [&](void*) { context.stop(); });
    any_async_pool pool(context, "inline");
    const guard ends;
    auto call = pool.apply(sleep_on, 3, boost::asio::use_future);
    wait_until([&] {
        const pool_dump found = pool.dump(boost::asio::use_future).get();
        return found.workers.size() == 1 && found.workers.front().tasks.size() == 1;
    });
    over = true;
    BOOST_TEST(call.get() == 3);
}

BOOST_AUTO_TEST_CASE(a_thread_that_blocks_all_signals_is_described)
{
    const guard ends;
    thread_pool pool(1);
    auto call = pool.submit(sleep_deaf, 1);
    pool_dump found;
    wait_until([&] { // it is busy before it blocks them
        found = pool.dump();
        return found.workers.size() == 1 && found.workers[0].stack.frames().empty();
    });
    BOOST_TEST(contains(found.workers[0].stack.note(), "no stack: the thread "), found.workers[0].stack.note());
    over = true;
    call.get();
}

BOOST_AUTO_TEST_CASE(coroutines_are_suspended)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    const auto check = [](auto& pool) {
        auto calls = pool.amap(wait_on, std::vector<int>{1, 2});
        pool_dump found;
        wait_until([&] {
            found = pool.dump();
            return found.workers.size() == 1 && found.workers[0].tasks.size() == 2 &&
                   std::ranges::all_of(found.workers[0].tasks, &dumped_task::suspended);
        });
        BOOST_TEST(contains(found.to_string(), "suspended task 1 for "), found.to_string());
        pool.terminate();
    };
    process_pool processes(1);
    check(processes);
    thread_pool threads(1);
    check(threads);
}

BOOST_AUTO_TEST_CASE(an_asynchronous_dump_completes_once_and_is_work_until_then)
{
    boost::asio::io_context context;
    async_multi_pool pool(context, 1);
    int completions = 0;
    std::exception_ptr failed;
    pool.dump([&](std::exception_ptr error, const pool_dump& found) {
        ++completions;
        failed = error;
        BOOST_TEST(found.workers.empty());
    });
    context.run();
    BOOST_TEST(completions == 1);
    BOOST_TEST(!failed);
}

BOOST_AUTO_TEST_CASE(a_dump_is_aborted_when_the_pool_is_destroyed_and_dropped_with_the_context)
{
    int completions = 0;
    std::weak_ptr<int> handler;
    {
        boost::asio::io_context context;
        {
            async_multi_pool pool(context, 1);
            pool.dump([&](std::exception_ptr error, const pool_dump&) { completions += error != nullptr; });
        }
        context.run();
        BOOST_TEST(completions == 1);
        auto lives = std::make_shared<int>();
        handler = lives;
        async_multi_pool pool(context, 1);
        pool.apply(sleep_on, 1, [](std::exception_ptr, int) {});
        context.restart();
        for (int i = 0; i < 6000 && pool.stats().running == 0; ++i)
            context.run_for(10ms);
        pool.dump([lives = std::move(lives), &completions](std::exception_ptr, const pool_dump&) { ++completions; });
        context.poll();
    }
    BOOST_TEST(completions <= 2); // a worker may have answered before the context was dropped
    BOOST_TEST(handler.expired());
}

BOOST_AUTO_TEST_SUITE_END()
