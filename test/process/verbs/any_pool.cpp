// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/any_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/data/test_case.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <twat/mp/error.hpp>
#include <twat/mp/verify.hpp>
#include <twat/mp/worker_state.hpp>
#include <twat/mp/wrappers.hpp>

#include "blocking_pools.hpp"
#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;
namespace data = boost::unit_test::data;

namespace {

const std::vector<std::string> all_backends{"inline", "processes", "threads"};

int pid_of(int) { return ::getpid(); }
bool is_even(int x) { return x % 2 == 0; }
int no_threes(int x) { return x == 3 ? throw std::domain_error("three") : x; }
int count(int& state, int x) { return x + ++state; }
std::size_t length(const std::string& text) { return text.size(); }
asio::awaitable<int> later_twice(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
    co_await timer.async_wait(asio::use_awaitable);
    co_return 2 * x;
}

pool_options two_nodes()
{
    pool_options options;
    options.nodes = 2;
    return options;
}

class environment_variable
{
public:
    explicit environment_variable(const char* value) { ::setenv("TWAT_MP_BACKEND", value, 1); }
    ~environment_variable() { ::unsetenv("TWAT_MP_BACKEND"); }
};

auto message_has(std::string_view text)
{
    return [text](const std::exception& e) { return std::string_view(e.what()).find(text) != std::string_view::npos; };
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_verbs_any_pool)

BOOST_DATA_TEST_CASE(it_has_the_verbs_of_a_pool, data::make(all_backends), name)
{
    any_pool pool(name, two_nodes());
    pool.start();
    const std::vector<int> xs{1, 2, 3, 4};
    BOOST_TEST(pool.apply(twice, 4) == 8);
    BOOST_TEST(pool.apply(length, "four") == 4u);
    BOOST_TEST(pool.map(twice, xs) == (std::vector<int>{2, 4, 6, 8}), per_element());
    BOOST_TEST(pool.map(later_twice, xs) == (std::vector<int>{2, 4, 6, 8}), per_element());
    BOOST_TEST(pool.starmap(std::plus<>(), std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}) ==
                   (std::vector<int>{3, 7}),
               per_element());
    const auto tried = pool.try_map(no_threes, xs);
    BOOST_TEST((tried[1].has_value() && !tried[2].has_value() && tried[3].has_value()));
    BOOST_CHECK_THROW(pool.map(no_threes, xs), std::domain_error);
    std::vector<int> streamed;
    for (int x : pool.imap(twice, xs))
        streamed.push_back(x);
    BOOST_TEST(streamed == (std::vector<int>{2, 4, 6, 8}), per_element());
    BOOST_TEST(pool.amap(twice, xs).get() == (std::vector<int>{2, 4, 6, 8}), per_element());
    BOOST_TEST(pool.submit(twice, 5).get() == 10);
    BOOST_TEST(pool.reduce(twice, std::plus<>(), 0, xs) == 20);
    BOOST_TEST(pool.filter(is_even, xs) == (std::vector<int>{2, 4}), per_element());
    pool.for_each(twice, xs);
    std::size_t done = 0;
    BOOST_TEST(
        pool.with({.timeout = 60s}).on_progress([&](const progress& now) { done = now.done; }).map(twice, xs).size() ==
        4u);
    BOOST_TEST(done == 4u);
    BOOST_TEST(!verify(pool, twice, xs));
    pool.join();
    BOOST_CHECK_THROW(pool.apply(twice, 4), error);
}

BOOST_AUTO_TEST_CASE(the_name_says_where_tasks_run)
{
    const auto runs_here = [](std::string_view name) {
        return any_pool(name, two_nodes()).apply(pid_of, 0) == ::getpid();
    };
    BOOST_TEST(runs_here("inline"));
    BOOST_TEST(runs_here("threads"));
    BOOST_TEST(!runs_here("processes"));
    const auto here = std::this_thread::get_id();
    static std::thread::id ran;
    any_pool("inline").apply([] { ran = std::this_thread::get_id(); });
    BOOST_TEST((ran == here));
    any_pool("threads", two_nodes()).apply([] { ran = std::this_thread::get_id(); });
    BOOST_TEST((ran != here));
}

BOOST_DATA_TEST_CASE(tasks_get_their_state, data::make(all_backends), name)
{
    pool_options options;
    options.nodes = 1;
    options.state = worker_state<int>([](int x) { return x; }, 10);
    options.finalizer = task([](int& state) { return state; });
    any_pool pool(name, options);
    BOOST_TEST(pool.map(count, std::vector<int>{0, 0}) == (std::vector<int>{11, 12}), per_element());
    pool.join();
    BOOST_TEST(pool.exit_results<int>() == std::vector<int>{12}, per_element());
}

BOOST_AUTO_TEST_CASE(another_name_is_refused_with_those_that_there_are)
{
    BOOST_CHECK_EXCEPTION(any_pool("fibres"), std::invalid_argument,
                          message_has("\"fibres\"; there are inline, processes, threads"));
    asio::io_context ctx;
    BOOST_CHECK_EXCEPTION(any_async_pool(ctx, "Threads"), std::invalid_argument,
                          message_has("inline, processes, threads"));
}

BOOST_AUTO_TEST_CASE(bad_options_name_the_member)
{
    pool_options options = two_nodes();
    options.max_memory_per_child = 1 << 20;
    BOOST_CHECK_EXCEPTION(any_pool("threads", options), std::invalid_argument, message_has("max_memory_per_child"));
    options = {};
    options.stop_grace = -1s;
    for (const std::string& name : all_backends)
        BOOST_CHECK_EXCEPTION(any_pool(name, options), std::invalid_argument, message_has("stop_grace"));
    options = {};
    options.executable = "/bin/true";
    BOOST_CHECK_EXCEPTION(any_pool("inline", options), std::invalid_argument, message_has("executable"));
}

BOOST_AUTO_TEST_CASE(the_environment_is_asked_where_no_name_is_given)
{
    BOOST_TEST(default_backend() == "processes");
    const environment_variable wanted("threads");
    BOOST_TEST(any_pool(two_nodes()).apply(pid_of, 0) == ::getpid());
    BOOST_TEST(any_pool("", two_nodes()).apply(pid_of, 0) == ::getpid());
    BOOST_TEST(any_pool("processes", two_nodes()).apply(pid_of, 0) != ::getpid());
    const environment_variable wrong("fibres");
    BOOST_CHECK_EXCEPTION(any_pool(), std::invalid_argument, message_has("TWAT_MP_BACKEND"));
}

BOOST_AUTO_TEST_CASE(other_libraries_add_theirs)
{
    const auto maker = [](pool_options options) { return thread_workers::make(std::move(options)); };
    BOOST_TEST(register_backend("test", maker));
    BOOST_TEST(!register_backend("test", maker));
    BOOST_TEST(!register_backend("inline", maker));
    BOOST_TEST(backends() == (std::vector<std::string>{"inline", "processes", "test", "threads"}), per_element());
    BOOST_TEST(any_pool("test", two_nodes()).apply(pid_of, 0) == ::getpid());
}

BOOST_DATA_TEST_CASE_F(io_context_fixture, it_can_be_awaited, data::make(all_backends), name)
{
    any_async_pool pool(ctx, name, two_nodes());
    const std::vector<int> xs{1, 2, 3, 4};
    run_coro([&]() -> asio::awaitable<void> {
        co_await pool.start();
        const int eight = co_await pool.apply(twice, 4);
        BOOST_TEST(eight == 8);
        const auto doubled = co_await pool.map(twice, xs);
        BOOST_TEST(doubled == (std::vector<int>{2, 4, 6, 8}), per_element());
        const auto later = co_await pool.map(later_twice, xs);
        BOOST_TEST(later == doubled, per_element());
        const int sum = co_await pool.reduce(twice, std::plus<>(), 0, xs);
        BOOST_TEST(sum == 20);
        const auto even = co_await pool.filter(is_even, xs);
        BOOST_TEST(even == (std::vector<int>{2, 4}), per_element());
        co_await pool.for_each(twice, xs);
        BOOST_CHECK_THROW(co_await pool.map(no_threes, xs), std::domain_error);
        auto stream = pool.imap(twice, xs);
        std::vector<int> streamed;
        while (auto x = co_await stream.next())
            streamed.push_back(*x);
        BOOST_TEST(streamed == doubled, per_element());
        const auto timed = co_await pool.with({.timeout = 60s}).map(twice, xs);
        BOOST_TEST(timed == doubled, per_element());
        co_await pool.join();
        BOOST_CHECK_THROW(co_await pool.apply(twice, 4), error);
    });
}

BOOST_DATA_TEST_CASE_F(io_context_fixture, it_takes_other_tokens, data::make(all_backends), name)
{
    any_async_pool pool(ctx, name, two_nodes());
    bool inside = true, called = false;
    pool.apply(twice, 4, [&](std::exception_ptr error, int x) {
        BOOST_TEST(!inside);
        BOOST_TEST(!error);
        BOOST_TEST(x == 8);
        called = true;
    });
    inside = false;
    auto result = pool.map(twice, std::vector<int>{1, 2}, asio::use_future);
    run();
    BOOST_TEST(called);
    BOOST_TEST(result.get() == (std::vector<int>{2, 4}), per_element());
}

BOOST_DATA_TEST_CASE(a_context_may_go_first, data::make(all_backends), name)
{
    auto ctx = std::make_unique<asio::io_context>();
    auto pool = std::make_unique<any_async_pool>(*ctx, name, two_nodes());
    bool called = false;
    pool->apply(twice, 4, [&](std::exception_ptr, int) { called = true; });
    ctx.reset();
    pool.reset();
    BOOST_TEST(!called);
}

BOOST_FIXTURE_TEST_CASE(an_inline_pool_that_is_gone_completes_what_was_asked_of_it, io_context_fixture)
{
    std::exception_ptr error;
    {
        any_async_pool pool(ctx, "inline");
        pool.apply(twice, 4, [&](std::exception_ptr e, int) { error = e; });
    }
    run();
    BOOST_REQUIRE(error);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(error), boost::system::system_error, is_aborted);
}

BOOST_AUTO_TEST_SUITE_END()
