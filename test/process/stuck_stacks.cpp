// SPDX-License-Identifier: BSL-1.0
// What a worker did when time was over.
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/stacktrace.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

#include "os/process_state.hpp"
#include "os/symbols.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

namespace stuck_test {

volatile bool never = false;

[[gnu::noinline]] int loop_for_ever(int x)
{
    while (!never)
        x = x ^ 1;
    return x;
}

[[gnu::noinline]] int lock_twice(int x)
{
    std::mutex mutex;
    mutex.lock();
    mutex.lock();
    return x;
}

[[gnu::noinline]] int sleep_long(int x)
{
    std::this_thread::sleep_for(1h);
    return x;
}

[[gnu::noinline]] int block_signals(int x)
{
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    return sleep_long(x);
}

boost::asio::awaitable<int> wait_long(int x)
{
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return x;
}

boost::asio::awaitable<int> hold_the_loop(int x) { co_return loop_for_ever(x); }

int pass_on(int x) { return x; }

int lock_twice_when_seen(const std::string& file)
{
    std::ofstream(file) << "seen";
    return lock_twice(4);
}

} // namespace stuck_test

namespace {

using namespace stuck_test;

template <class F>
stacktrace stack_at_end(process_pool& pool, F f, const call_options& options, errc expected)
{
    try {
        pool.with(options).apply(f, 4);
    }
    catch (const error& e) {
        BOOST_TEST(e.code() == make_error_code(expected));
        const stacktrace* const stack = boost::get_error_info<errinfo_stacktrace>(e);
        return stack ? *stack : stacktrace();
    }
    BOOST_ERROR("it returned");
    return {};
}

/// The same until it is a good one: on a busy machine a worker need not have come as far as that when the time is over,
/// nor answer in time.
template <class F, class Good>
stacktrace stack_at_end(process_pool& pool, F f, const call_options& options, errc expected, Good good)
{
    stacktrace stack = stack_at_end(pool, f, options, expected);
    for (int i = 0; i < 100 && !good(stack); ++i)
        stack = stack_at_end(pool, f, options, expected);
    return stack;
}

constexpr call_options short_timeout{.timeout = 50ms};

bool has_function(const stacktrace& stack, const std::string& name)
{
    return std::ranges::any_of(stack.frames(),
                               [&](const stacktrace::frame& f) { return f.function.find(name) != std::string::npos; });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Is it in that function, as far as functions can be told?
auto is_in(std::string name)
{
    return [name](const stacktrace& stack) {
        return detail::can_look_up() ? has_function(stack, name) : !stack.frames().empty();
    };
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_stuck_stacks)

BOOST_AUTO_TEST_CASE(a_timeout_tells_where_the_task_was)
{
    if (TWAT_MP_TEST_TSAN)
        return; // it holds signals back
    process_pool pool(1);
    const std::pair<int (*)(int), const char*> cases[] = {{loop_for_ever, "stuck_test::loop_for_ever"},
                                                          {lock_twice, "stuck_test::lock_twice"},
                                                          {sleep_long, "stuck_test::sleep_long"}};
    for (const auto& [f, name] : cases) {
        const stacktrace stack = stack_at_end(pool, f, short_timeout, errc::task_timed_out, is_in(name));
        BOOST_TEST(!stack.empty());
        BOOST_TEST(contains(stack.note(), "runs task 0 (calling the function)"), stack.note());
        BOOST_TEST(!stack.frames().empty(), stack.note());
        if (detail::can_look_up())
            BOOST_TEST(has_function(stack, name), stack.to_string());
    }
}

BOOST_AUTO_TEST_CASE(an_error_says_in_a_line_where_its_task_was_stuck)
{
    if (TWAT_MP_TEST_TSAN || !detail::can_look_up())
        return;
    process_pool pool(1);
    const auto is_there = is_in("stuck_test::lock_twice");
    for (int i = 0; i < 100; ++i)
        try {
            pool.with(short_timeout).apply(lock_twice, 4);
            BOOST_ERROR("it returned");
        }
        catch (const error& e) {
            const stacktrace* const stack = boost::get_error_info<errinfo_stacktrace>(e);
            BOOST_TEST_REQUIRE(stack);
            if (!is_there(*stack))
                continue; // on a busy machine it had not come that far
            const std::string where = where_of(std::current_exception());
            BOOST_TEST(where == stack->where());
            // the function of the program, not the one of the C library in which it waits
            BOOST_TEST(where.starts_with("stuck at stuck_test::lock_twice(int)"), where);
            const bool has_lines = std::ranges::any_of(
                stack->frames(), [](const stacktrace::frame& f) { return f.file.ends_with("stuck_stacks.cpp"); });
            if (has_lines) // not where it was built without debug information
                BOOST_TEST(contains(where, "stuck_stacks.cpp:"), where);
            const std::string report = boost::current_exception_diagnostic_information();
            BOOST_TEST(contains(report, "S" + where.substr(1) + "\nStack of the worker:\n  runs task 0"), report);
            return;
        }
    BOOST_ERROR("it was never seen there");
}

BOOST_AUTO_TEST_CASE(a_deadline_tells_where_a_task_was)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    process_pool pool(1);
    pool.start();
    const stacktrace stack =
        stack_at_end(pool, lock_twice, {.deadline = 100ms}, errc::deadline_exceeded, is_in("stuck_test::lock_twice"));
    BOOST_TEST(!stack.frames().empty(), stack.note());
    if (detail::can_look_up())
        BOOST_TEST(has_function(stack, "stuck_test::lock_twice"), stack.to_string());
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_killed_at_once_is_asked_before)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    pool_options options;
    options.nodes = 1;
    options.cancel_grace = 0ns;
    process_pool pool(options);
    for (int i = 0; i < 5; ++i) {
        const stacktrace stack =
            stack_at_end(pool, loop_for_ever, short_timeout, errc::task_timed_out, is_in("stuck_test::loop_for_ever"));
        BOOST_TEST(!stack.frames().empty(), stack.note());
    }
}

BOOST_AUTO_TEST_CASE(a_worker_that_does_not_answer_is_told_of_by_the_system)
{
    process_pool pool(1);
    const stacktrace stack = stack_at_end(pool, block_signals, short_timeout, errc::task_timed_out,
                                          [](const stacktrace& found) { return found.frames().empty(); });
    BOOST_TEST(stack.frames().empty());
    // and in which call, where the system tells
    BOOST_TEST(contains(stack.note(), "no stack: the worker sleeps"), stack.note());
}

BOOST_AUTO_TEST_CASE(an_event_tells_where_a_cancelled_task_was_when_it_was_killed)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    std::promise<stacktrace> told;
    pool_options options;
    options.nodes = 1;
    options.cancel_grace = 10ms;
    options.on_event = [&](const pool_event& event) {
        if (event.what == pool_event::worker_retired && !event.stack.empty())
            told.set_value(event.stack);
    };
    boost::asio::io_context context;
    const auto work = boost::asio::make_work_guard(context);
    async_multi_pool pool(context, options);
    boost::asio::cancellation_signal cancel;
    bool completed = false;
    const auto file = std::filesystem::temp_directory_path() / ("twat_mp_stuck_" + std::to_string(::getpid()));
    std::filesystem::remove(file);
    pool.apply(lock_twice_when_seen, file.string(),
               boost::asio::bind_cancellation_slot(
                   cancel.slot(), [&](const std::exception_ptr& e, int) { completed = e != nullptr; }));
    for (int i = 0; i < 3000 && !std::filesystem::exists(file); ++i)
        context.run_for(10ms);
    std::filesystem::remove(file);
    cancel.emit(boost::asio::cancellation_type::terminal);
    std::future<stacktrace> stack = told.get_future();
    for (int i = 0; i < 3000 && stack.wait_for(0s) != std::future_status::ready; ++i)
        context.run_for(10ms);
    BOOST_TEST(completed);
    BOOST_REQUIRE((stack.wait_for(0s) == std::future_status::ready));
    const stacktrace found = stack.get();
    BOOST_TEST((!found.frames().empty() || contains(found.note(), "no stack: ")), found.note());
    if (detail::can_look_up() && !found.frames().empty())
        BOOST_TEST(has_function(found, "stuck_test::lock_twice"), found.to_string());
}

BOOST_AUTO_TEST_CASE(of_coroutines_it_tells_who_runs_and_who_is_suspended)
{
    if (TWAT_MP_TEST_TSAN)
        return;
    process_pool pool(1);
    const auto is_suspended = [](const stacktrace& stack) { return contains(stack.note(), "suspended: task 0"); };
    const stacktrace waits =
        stack_at_end(pool, wait_long, {.timeout = 50ms, .label = "waiting"}, errc::task_timed_out, is_suspended);
    BOOST_TEST(contains(waits.note(), "the event loop waits; suspended: task 0 of waiting for "), waits.note());
    if (detail::can_look_up() && !waits.frames().empty()) { // none of them the program's own
        BOOST_TEST(waits.where().starts_with("stuck at "), waits.where());
        BOOST_TEST(waits.where().ends_with("; " + waits.note()), waits.where());
    }
    const stacktrace runs =
        stack_at_end(pool, hold_the_loop, short_timeout, errc::task_timed_out, is_in("stuck_test::loop_for_ever"));
    BOOST_TEST(contains(runs.note(), "runs task 0 (calling the function)"), runs.note());
    if (detail::can_look_up())
        BOOST_TEST(has_function(runs, "stuck_test::loop_for_ever"), runs.to_string());
}

BOOST_AUTO_TEST_CASE(states_of_processes_have_words)
{
    BOOST_TEST(detail::name_of_system_call(SYS_fsync) == "fsync");
    BOOST_TEST(detail::name_of_system_call(SYS_rt_sigsuspend) == "rt_sigsuspend");
    BOOST_TEST(detail::name_of_system_call(4711) == "4711");
    BOOST_TEST(detail::describe_process_state(1) == ""); // no child of this process
}

BOOST_AUTO_TEST_SUITE_END()
