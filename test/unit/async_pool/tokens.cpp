// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/async_pool.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <ranges>
#include <string>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fake_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using boost::test_tools::per_element;

namespace {

int twice(int x) { return 2 * x; }

bool is_aborted(const std::exception_ptr& error)
{
    try {
        if (error)
            std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    }
    return false;
}

struct held_fixture : fake_fixture
{
    held_fixture() { core->hold = true; }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_async_pool_tokens)

BOOST_FIXTURE_TEST_CASE(a_callback_is_not_called_inside_the_initiating_function, fake_fixture)
{
    bool called = false;
    const std::vector<int> inputs{1, 2};
    asio::post(ctx, [&] {
        pool.map(twice, inputs, [&](std::exception_ptr error, std::vector<int> results) {
            called = true;
            BOOST_TEST(!error);
            BOOST_TEST(results == (std::vector<int>{2, 4}), per_element());
        });
        BOOST_TEST(!called);
    });
    run();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(a_future_is_fetched, fake_fixture)
{
    auto one = pool.apply(twice, 4, asio::use_future);
    auto nothing = pool.map([](int) {}, std::vector<int>{1}, asio::use_future);
    auto failed = pool.apply([](int) -> int { throw std::domain_error("no"); }, 1, asio::use_future);
    run();
    BOOST_TEST(one.get() == 8);
    nothing.get();
    BOOST_CHECK_THROW(failed.get(), std::domain_error);
}

BOOST_FIXTURE_TEST_CASE(a_deferred_operation_starts_when_it_is_awaited, fake_fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        auto one = pool.apply(twice, 4, asio::deferred);
        BOOST_TEST(core->completed == 0u);
        BOOST_TEST(co_await std::move(one) == 8);
        auto failed = pool.apply([](int) -> int { throw std::domain_error("no"); }, 1, asio::deferred);
        BOOST_CHECK_THROW(co_await std::move(failed), std::domain_error);
    });
}

BOOST_FIXTURE_TEST_CASE(a_deferred_operation_takes_its_token_later, fake_fixture)
{
    int got = 0;
    auto one = pool.apply(twice, 4, asio::deferred);
    std::move(one)([&](std::exception_ptr, int result) { got = result; });
    run();
    BOOST_TEST(got == 8);
}

BOOST_FIXTURE_TEST_CASE(an_awaitable_starts_when_it_is_awaited, fake_fixture)
{
    {
        auto never = pool.apply(twice, 4);
    }
    run();
    BOOST_TEST(core->completed == 0u);
}

BOOST_FIXTURE_TEST_CASE(detached_and_as_tuple_work, fake_fixture)
{
    pool.apply(twice, 4, asio::detached);
    run_coro([&]() -> asio::awaitable<void> {
        auto [error, result] = co_await pool.apply(twice, 4, asio::as_tuple(asio::use_awaitable));
        BOOST_TEST(!error);
        BOOST_TEST(result == 8);
    });
    BOOST_TEST(core->completed == 2u);
}

BOOST_FIXTURE_TEST_CASE(the_handler_runs_on_its_associated_executor, fake_fixture)
{
    auto strand = asio::make_strand(ctx);
    bool called = false;
    pool.apply(twice, 4, asio::bind_executor(strand, [&](std::exception_ptr, int) {
                   called = true;
                   BOOST_TEST(strand.running_in_this_thread());
               }));
    run();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(the_handlers_executor_has_work_while_the_operation_is_outstanding, held_fixture)
{
    asio::io_context other;
    bool called = false;
    pool.apply(twice, 4, asio::bind_executor(other.get_executor(), [&](std::exception_ptr, int) { called = true; }));
    ctx.poll();
    other.poll();
    BOOST_TEST(!other.stopped());
    core->run_held();
    run();
    other.restart();
    other.run();
    BOOST_TEST(called);
}

BOOST_FIXTURE_TEST_CASE(a_signal_asks_the_pool_and_is_let_go_at_completion, held_fixture)
{
    asio::cancellation_signal signal;
    std::exception_ptr error;
    pool.apply(twice, 4, asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, int) { error = e; }));
    ctx.poll();
    BOOST_TEST(signal.slot().has_handler());
    signal.emit(asio::cancellation_type::partial);
    run();
    BOOST_TEST(is_aborted(error));
    BOOST_TEST_REQUIRE(core->cancellations.size() == 1u);
    BOOST_TEST((core->cancellations[0] == asio::cancellation_type::partial));
    BOOST_TEST(!signal.slot().has_handler());
}

BOOST_FIXTURE_TEST_CASE(the_loser_of_two_operations_is_cancelled, held_fixture)
{
    using namespace asio::experimental::awaitable_operators;
    run_coro([&]() -> asio::awaitable<void> {
        asio::steady_timer timer(ctx, std::chrono::milliseconds(1));
        auto first = co_await (pool.apply(twice, 4) || timer.async_wait(asio::use_awaitable));
        BOOST_TEST(first.index() == 1u);
    });
    BOOST_TEST((core->cancellations.at(0) == asio::cancellation_type::terminal));
}

BOOST_FIXTURE_TEST_CASE(a_wait_for_the_start_can_be_cancelled, held_fixture)
{
    asio::cancellation_signal signal;
    std::exception_ptr error;
    pool.start(asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { error = e; }));
    signal.emit(asio::cancellation_type::total);
    run();
    BOOST_TEST(is_aborted(error));
}

BOOST_FIXTURE_TEST_CASE(what_submit_throws_reaches_the_handler, fake_fixture)
{
    core->refusal = std::make_exception_ptr(std::logic_error("forked"));
    run_coro([&]() -> asio::awaitable<void> {
        BOOST_CHECK_THROW(co_await pool.apply(twice, 1), std::logic_error);
        auto stream = pool.imap(twice, std::vector<int>{1});
        BOOST_CHECK_THROW(co_await stream.next(), std::logic_error);
        const auto behind = co_await stream.next();
        BOOST_TEST(!behind.has_value());
    });
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_wait_for_the_end_of_a_pool_ends_once, held_fixture)
{
    asio::cancellation_signal signal;
    std::exception_ptr error;
    int told = 0;
    pool.drain(duration::max(), asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, drain_report) {
                   error = e;
                   ++told;
               }));
    ctx.poll();
    BOOST_TEST(told == 0);
    signal.emit(asio::cancellation_type::total);
    run();
    BOOST_TEST(is_aborted(error));
    core->end_drains();
    run();
    BOOST_TEST(told == 1);
}

BOOST_FIXTURE_TEST_CASE(bad_call_options_are_named, fake_fixture)
{
    const auto names = [](const char* member) {
        return [=](const std::invalid_argument& e) { return std::string(e.what()).find(member) != std::string::npos; };
    };
    BOOST_CHECK_EXCEPTION(pool.with({.timeout = duration(-1)}), std::invalid_argument, names("timeout"));
    BOOST_CHECK_EXCEPTION(pool.with({.deadline = duration(-1)}), std::invalid_argument, names("deadline"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_result_stream)

BOOST_FIXTURE_TEST_CASE(a_stream_pulls_no_further_than_its_window, fake_fixture)
{
    int pulled = 0;
    auto counted = std::views::iota(0) | std::views::transform([&](int x) {
                       ++pulled;
                       return x;
                   });
    run_coro([&]() -> asio::awaitable<void> {
        auto stream = pool.with({.window = 4}).imap(twice, counted);
        for (int read = 0; read < 50; ++read) {
            BOOST_TEST_REQUIRE(pulled <= read + 4);
            const auto value = co_await stream.next();
            BOOST_TEST_REQUIRE(*value == 2 * read);
        }
    });
}

BOOST_FIXTURE_TEST_CASE(elements_come_in_the_order_of_completion_where_that_is_asked_for, fake_fixture)
{
    core->newest_first = true;
    core->chunk_size = 1;
    run_coro([&]() -> asio::awaitable<void> {
        const std::vector<int> inputs{0, 1, 2, 3};
        auto unordered = pool.uimap(twice, inputs);
        co_await unordered.next();
        BOOST_TEST(unordered.index() == 1u);
        auto ordered = pool.imap(twice, inputs);
        co_await ordered.next();
        BOOST_TEST(ordered.index() == 0u);
    });
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_read_loses_no_element, held_fixture)
{
    asio::cancellation_signal signal;
    std::exception_ptr error;
    auto stream = pool.imap(twice, std::vector<int>{1, 2});
    stream.next(
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, std::optional<int>) { error = e; }));
    ctx.poll();
    signal.emit(asio::cancellation_type::terminal);
    core->run_held();
    run();
    BOOST_TEST(is_aborted(error));
    BOOST_TEST(core->cancellations.empty());
    run_coro([&]() -> asio::awaitable<void> {
        const auto first = co_await stream.next();
        BOOST_TEST(*first == 2);
    });
}

BOOST_FIXTURE_TEST_CASE(a_read_that_is_cancelled_on_its_way_leaves_its_element, fake_fixture)
{
    asio::io_context other; // where the read completes, and which does not run yet
    asio::cancellation_signal signal;
    std::exception_ptr error;
    auto stream = pool.imap(twice, std::vector<int>{1, 2});
    run();
    stream.next(asio::bind_cancellation_slot(
        signal.slot(),
        asio::bind_executor(other.get_executor(), [&](std::exception_ptr e, std::optional<int>) { error = e; })));
    signal.emit(asio::cancellation_type::terminal);
    other.run();
    BOOST_TEST(is_aborted(error));
    run_coro([&]() -> asio::awaitable<void> {
        const auto first = co_await stream.next();
        BOOST_TEST(*first == 2);
    });
}

BOOST_FIXTURE_TEST_CASE(a_stream_that_is_destroyed_is_abandoned_and_its_read_ends, held_fixture)
{
    std::exception_ptr error;
    std::optional<result_stream<int>> stream(pool.imap(twice, std::views::iota(0)));
    stream->next([&](std::exception_ptr e, std::optional<int>) { error = e; });
    ctx.poll();
    stream.reset();
    run();
    BOOST_TEST(is_aborted(error));
    BOOST_TEST(core->abandoned == 1u);
}

BOOST_AUTO_TEST_CASE(an_empty_stream_is_at_its_end)
{
    asio::io_context ctx;
    result_stream<int> stream;
    bool ended = false;
    stream.next(
        asio::bind_executor(ctx.get_executor(), [&](std::exception_ptr e, std::optional<int> v) { ended = !e && !v; }));
    ctx.run();
    BOOST_TEST(ended);
    static_assert(!std::is_copy_constructible_v<result_stream<int>>);
}

BOOST_AUTO_TEST_SUITE_END()
