// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/task.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <twat/mp/options.hpp>
#include <twat/mp/register_function.hpp>

#include "function/function.hpp"
#include "start/worker_context.hpp"

using namespace twat::mp;
namespace asio = boost::asio;

namespace {

std::string remembered;

void remember(const std::string& text, int n) { remembered = text + std::to_string(n); }
int* returns_a_pointer() { return nullptr; }
asio::awaitable<int> remember_later(const std::string& text)
{
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    remembered = text;
    co_return 1;
}
TWAT_MP_REGISTER(remember)

/// As a worker does.
void run_far(const task& t, bool by_name = false)
{
    const auto bytes = t.encode(by_name).bytes;
    decoder in(bytes.bytes());
    const auto function = detail::decode_function(in);
    BOOST_TEST(in.remaining() == 0u);
    decoder nothing;
    encoder dropped;
    function->call(nothing, dropped);
}

struct fixture
{
    fixture() { remembered.clear(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_task, fixture)

BOOST_AUTO_TEST_CASE(a_default_task_is_empty)
{
    const task none;
    BOOST_TEST(!none);
    BOOST_TEST(none.portable());
    BOOST_TEST(!none.is_coroutine());
    BOOST_TEST(!pool_options().initializer);
}

BOOST_AUTO_TEST_CASE(a_task_calls_its_function_with_its_arguments_every_time)
{
    const task t(remember, "x", 1);
    BOOST_TEST(bool(t));
    BOOST_TEST(t.portable());
    t.run();
    BOOST_TEST(remembered == "x1");
    remembered.clear();
    const task copy = t;
    copy.run();
    BOOST_TEST(remembered == "x1");
}

BOOST_AUTO_TEST_CASE(a_task_can_be_sent)
{
    run_far(task(remember, "x", 2));
    BOOST_TEST(remembered == "x2");
    run_far(task(remember, std::string("y"), 3), true);
    BOOST_TEST(remembered == "y3");
    run_far(task([](const std::string& text) { remembered = text; }, "lambda"));
    BOOST_TEST(remembered == "lambda");
}

BOOST_AUTO_TEST_CASE(a_task_that_is_not_portable_runs_here_only)
{
    int calls = 0;
    const task capturing([&calls] { ++calls; });
    BOOST_TEST(!capturing.portable());
    capturing.run();
    BOOST_TEST(calls == 1);
    BOOST_CHECK_THROW(capturing.encode(false), std::logic_error);

    const task pointing([](int* to) { ++*to; }, &calls);
    BOOST_TEST(!pointing.portable());
    pointing.run();
    BOOST_TEST(calls == 2);
    BOOST_TEST(!task(std::function<void()>([] {})).portable());
}

BOOST_AUTO_TEST_CASE(what_it_returns_is_dropped)
{
    const task t(returns_a_pointer);
    BOOST_TEST(t.portable());
    t.run();
    run_far(t);
}

BOOST_AUTO_TEST_CASE(arguments_may_be_move_only)
{
    const task t([](const std::unique_ptr<int>& p) { remembered = std::to_string(*p); }, std::make_unique<int>(5));
    t.run();
    BOOST_TEST(remembered == "5");
    remembered.clear();
    run_far(t);
    BOOST_TEST(remembered == "5");
}

BOOST_AUTO_TEST_CASE(an_exception_passes)
{
    const task t([] { throw std::domain_error("boom"); });
    BOOST_CHECK_THROW(t.run(), std::domain_error);
    BOOST_CHECK_THROW(run_far(t), std::domain_error);
}

BOOST_AUTO_TEST_CASE(a_coroutine_runs_on_the_workers_context)
{
    asio::io_context context(1);
    detail::worker_context worker;
    worker.executor = context.get_executor();
    auto* before = detail::enter_worker(&worker);
    const task t([](asio::io_context::executor_type) -> asio::awaitable<void> { co_return; }, context.get_executor());
    BOOST_TEST(t.is_coroutine());

    bool on_context = false;
    const task checks(
        [&](std::string text) -> asio::awaitable<void> {
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            on_context = (co_await asio::this_coro::executor) == asio::any_io_executor(context.get_executor());
            remembered = text;
        },
        "here");
    checks.run();
    checks.run(); // and again
    detail::enter_worker(before);
    BOOST_TEST(on_context);
    BOOST_TEST(remembered == "here");
}

BOOST_AUTO_TEST_CASE(a_coroutine_runs_without_a_worker_too)
{
    const task t(remember_later, "later");
    BOOST_TEST(t.is_coroutine());
    t.run();
    BOOST_TEST(remembered == "later");
    remembered.clear();
    run_far(t);
    BOOST_TEST(remembered == "later");
    const task fails([]() -> asio::awaitable<void> {
        throw std::domain_error("boom");
        co_return;
    });
    BOOST_CHECK_THROW(fails.run(), std::domain_error);
}

BOOST_AUTO_TEST_CASE(run_async_serves_plain_functions_too)
{
    asio::io_context context;
    const task plain(remember, "p", 1);
    asio::co_spawn(context, plain.run_async(), asio::detached);
    BOOST_TEST(remembered == "");
    context.run();
    BOOST_TEST(remembered == "p1");
}

static_assert(!std::is_constructible_v<task, int>);
static_assert(!std::is_constructible_v<task, decltype(&remember)>);
static_assert(!std::is_constructible_v<task, decltype(&remember), int>);
static_assert(std::is_convertible_v<decltype(&returns_a_pointer), task>);

BOOST_AUTO_TEST_SUITE_END()
