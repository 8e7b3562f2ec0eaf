// SPDX-License-Identifier: BSL-1.0
// Where a worker crashed.
#include <twat/mp/multi_pool.hpp>

#include <twat/mp/exceptions.hpp>
#include <twat/mp/stacktrace.hpp>
#include <twat/mp/worker.hpp>
#include <twat/mp/worker_died.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/exception/diagnostic_information.hpp>
#include <boost/exception/get_error_info.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "os/symbols.hpp"
#include "sanitizers.hpp"

using namespace twat::mp;

// With external names, and neither inlined nor merged, so that they can be looked for.
namespace crash_test {

volatile int zero = 0;

[[gnu::noinline]] void write_to(int* to)
{
    *to = 1; // the line of the crash
    zero = 0;
}
constexpr unsigned line_of_write = __LINE__ - 3;

[[gnu::noinline]] int write_to_null(int)
{
    write_to(nullptr);
    return zero;
}

[[gnu::noinline]] int divide_by_zero(int x) { return x / zero; }

[[gnu::noinline]] int touch_behind_end(int)
{
    char name[] = "/tmp/twat-mp-crash-XXXXXX";
    const int fd = ::mkstemp(name);
    ::unlink(name);
    const void* at = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    return *static_cast<const volatile char*>(at);
}

[[gnu::noinline]] int run_nonsense(int) { __builtin_trap(); }

[[gnu::noinline]] int abort_inside(int x)
{
    if (zero == 0)
        std::abort();
    return x;
}

[[gnu::noinline]] void throw_where_nobody_catches() { throw std::runtime_error("nobody catches this"); }

[[gnu::noinline]] int throw_in_a_thread(int x)
{
    std::thread(throw_where_nobody_catches).join();
    return x;
}

[[gnu::noinline]] int crash_in_a_thread(int x)
{
    std::thread([] { write_to(nullptr); }).join();
    return x;
}

[[gnu::noinline]] int recurse(int depth)
{
    volatile char room[256];
    room[0] = static_cast<char>(depth);
    return depth == zero - 1 ? 0 : recurse(depth + 1) + room[0];
}

[[gnu::noinline]] int call_null(int x)
{
    int (*volatile f)(int) = nullptr;
    return f(x) + zero;
}

[[gnu::noinline]] int jump_to_nowhere(int x)
{
    int (*volatile f)(int) = reinterpret_cast<int (*)(int)>(0x1230);
    return f(x) + zero;
}

/// The unwinder cannot read what stands where it leads back to.
[[gnu::noinline]] int crash_on_a_broken_stack(int x)
{
    static_cast<void* volatile*>(__builtin_frame_address(0))[1] = reinterpret_cast<void*>(0x1230);
    write_to(nullptr);
    return x + zero;
}

[[gnu::noinline]] boost::asio::awaitable<int> crash_in_a_coroutine(int x)
{
    co_await boost::asio::post(boost::asio::use_awaitable);
    write_to(nullptr);
    co_return x;
}

boost::asio::awaitable<int> overflow_in_a_coroutine(int x)
{
    co_await boost::asio::post(boost::asio::use_awaitable);
    co_return recurse(x);
}

[[gnu::noinline]] void crash_at_start() { write_to(nullptr); }

void exit_on_crash(int) { ::_exit(77); }

void install_own_handler() { std::signal(SIGSEGV, exit_on_crash); }

[[gnu::noinline]] int be_killed(int x)
{
    ::kill(::getpid(), SIGBUS);
    return x;
}

int crash_in_a_copy(int)
{
    const int copy = ::fork();
    if (copy == 0)
        std::abort();
    int status = 0;
    ::waitpid(copy, &status, 0);
    ::kill(::getpid(), SIGKILL);
    return 0;
}

} // namespace crash_test

namespace {

using namespace crash_test;

template <class F>
worker_died death_in(F f, pool_options options = {})
{
    options.nodes = 1;
    options.child_stderr = error_output::capture; // what abort and terminate print
    process_pool pool(options);
    try {
        pool.apply(f, 3);
    }
    catch (const worker_died& e) {
        return e;
    }
    throw std::logic_error("nobody died");
}

bool has_function(const stacktrace& stack, const std::string& name)
{
    return std::ranges::any_of(stack.frames(),
                               [&](const stacktrace::frame& f) { return f.function.find(name) != std::string::npos; });
}

bool can_be_read() { return detail::can_look_up(); }

struct case_of_death
{
    const char* what;
    int signal;
    worker_died death;
    const char* function;
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_crash_stacks)

BOOST_AUTO_TEST_CASE(a_crash_tells_function_file_and_line)
{
    if (TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN)
        return; // it reports by itself, and exits
    const worker_died death = death_in(write_to_null);
    BOOST_TEST(death.signal() == SIGSEGV);
    const stacktrace& stack = death.stacktrace();
    BOOST_TEST(!stack.empty());
    BOOST_TEST_REQUIRE(!stack.frames().empty());
    BOOST_TEST(stack.note().find("at address 0x0") != std::string::npos, stack.note());
    const stacktrace::frame& innermost = stack.frames().front();
    BOOST_TEST(innermost.module.find('/') == 0u);
    BOOST_TEST(innermost.offset != 0u);
    BOOST_TEST(innermost.address != 0u);
    if (can_be_read()) {
        BOOST_TEST(innermost.function == "crash_test::write_to(int*)");
        BOOST_TEST(innermost.file.ends_with("crash_stacks.cpp"), innermost.file);
        BOOST_TEST(innermost.line == line_of_write);
        BOOST_TEST(stack.frames()[1].function == "crash_test::write_to_null(int)", stack.to_string());
    }
}

BOOST_AUTO_TEST_CASE(every_way_to_crash_leaves_a_stack_and_its_signal)
{
    if (TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN)
        return;
    const case_of_death cases[] = {
        {"division by zero", SIGFPE, death_in(divide_by_zero), "crash_test::divide_by_zero"},
        {"behind the end of a file", SIGBUS, death_in(touch_behind_end), "crash_test::touch_behind_end"},
        {"not an instruction", SIGILL, death_in(run_nonsense), "crash_test::run_nonsense"},
        {"abort", SIGABRT, death_in(abort_inside), "crash_test::abort_inside"},
        {"exception in a thread", SIGABRT, death_in(throw_in_a_thread), "crash_test::throw_where_nobody_catches"},
        {"crash in a thread", SIGSEGV, death_in(crash_in_a_thread), "crash_test::write_to"},
        {"overflow", SIGSEGV, death_in(recurse), "crash_test::recurse"},
        {"call of null", SIGSEGV, death_in(call_null), "crash_test::call_null"},
        {"jump to nowhere", SIGSEGV, death_in(jump_to_nowhere), "crash_test::jump_to_nowhere"},
        {"broken stack", SIGSEGV, death_in(crash_on_a_broken_stack), "crash_test::crash_on_a_broken_stack"},
        {"coroutine", SIGSEGV, death_in(crash_in_a_coroutine), "crash_test::crash_in_a_coroutine"},
        {"overflow in a coroutine", SIGSEGV, death_in(overflow_in_a_coroutine), "crash_test::recurse"},
        {"a signal from outside", SIGBUS, death_in(be_killed), "crash_test::be_killed"},
    };
    for (const case_of_death& c : cases) {
        BOOST_TEST_CONTEXT(c.what)
        {
            BOOST_TEST(c.death.signal() == c.signal);
            BOOST_TEST(c.death.has_task());
            BOOST_TEST(!c.death.stacktrace().frames().empty());
            if (can_be_read())
                BOOST_TEST(has_function(c.death.stacktrace(), c.function), c.death.stacktrace().to_string());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_overflow_is_cut)
{
    if (TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN)
        return;
    const worker_died death = death_in(recurse);
    BOOST_TEST(death.stacktrace().frames().size() >= 256u);
    BOOST_TEST(death.stacktrace().to_string().find("not recorded") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(diagnostic_information_shows_it)
{
    if (TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN)
        return;
    process_pool pool(1);
    try {
        pool.apply(write_to_null, 3);
        BOOST_ERROR("nobody died");
    }
    catch (...) {
        const std::string report = boost::current_exception_diagnostic_information();
        BOOST_TEST(report.find("Stack of the worker:\n  signal 11") != std::string::npos, report);
        if (can_be_read())
            BOOST_TEST(report.find("crash_test::write_to(int*) at ") != std::string::npos, report);
        if (can_be_read()) {
            const std::string where = where_of(std::current_exception());
            BOOST_TEST(where.starts_with("crashed at crash_test::write_to(int*)"), where);
            BOOST_TEST(report.find("C" + where.substr(1) + '\n') != std::string::npos, report);
        }
        try {
            throw;
        }
        catch (const boost::exception& e) {
            const stacktrace* const stack = boost::get_error_info<errinfo_stacktrace>(e);
            BOOST_TEST_REQUIRE(stack);
            BOOST_TEST(!stack->frames().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_crash_in_the_initializer_leaves_a_stack)
{
    if (TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN)
        return;
    pool_options options;
    options.nodes = 1;
    options.restarts.count = 1;
    options.initializer = task(crash_at_start);
    process_pool pool(options);
    try {
        pool.start();
        BOOST_ERROR("it started");
    }
    catch (...) {
        const std::string report = boost::current_exception_diagnostic_information();
        BOOST_TEST(report.find("Stack of the worker:") != std::string::npos, report);
    }
}

BOOST_AUTO_TEST_CASE(a_handler_of_the_program_keeps_precedence)
{
    if (TWAT_MP_TEST_ASAN || TWAT_MP_TEST_TSAN)
        return;
    pool_options options;
    options.initializer = task(install_own_handler);
    const worker_died death = death_in(write_to_null, options);
    BOOST_TEST(death.signal() == 0);
    BOOST_TEST(death.exit_code() == 77);
    BOOST_TEST(death.stacktrace().empty());
}

BOOST_AUTO_TEST_CASE(a_crash_of_a_copy_is_not_the_worker_s)
{
    const worker_died death = death_in(crash_in_a_copy);
    BOOST_TEST(death.signal() == SIGKILL);
    BOOST_TEST(death.stacktrace().empty());
    BOOST_TEST(death.stacktrace().frames().empty());
    BOOST_TEST(death.stacktrace().to_string().empty());
}

BOOST_AUTO_TEST_SUITE_END()
