// SPDX-License-Identifier: BSL-1.0
// How a pool of worker processes is shut down within a time.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ranges>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

int hang(int x)
{
    for (;;)
        std::this_thread::sleep_for(1s);
    return x;
}

int soon(int x)
{
    std::this_thread::sleep_for(50ms);
    return x;
}

boost::system::error_code code_of(const std::exception_ptr& error)
{
    try {
        if (error)
            std::rethrow_exception(error);
    }
    catch (const boost::system::system_error& e) {
        return e.code();
    }
    catch (...) {
        return make_error_code(errc::protocol_error);
    }
    return {};
}

/// What an operation or a wait was told, and how often.
struct ending
{
    int times = 0;
    boost::system::error_code code;
    drain_report report;

    auto note()
    {
        return [this](std::exception_ptr error, auto... values) {
            ++times;
            code = code_of(error);
            if constexpr (sizeof...(values) != 0 && (std::is_same_v<decltype(values), drain_report> && ...))
                report = (values, ...);
        };
    }
};

struct fixture : test::io_context_fixture
{
    std::optional<async_multi_pool> pool{std::in_place, ctx, 2};

    /// Runs the context until the workers hold so many tasks.
    void run_until_running(std::size_t count)
    {
        ctx.restart();
        while (pool->stats().running != count)
            ctx.run_one();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_drain_of_processes)

BOOST_FIXTURE_TEST_CASE(what_ends_in_time_is_finished, fixture)
{
    ending call, drain;
    pool->map(soon, std::vector<int>{1, 2, 3, 4}, call.note());
    pool->drain(60s, drain.note());
    run();
    BOOST_TEST(call.times == 1);
    BOOST_TEST(!call.code);
    BOOST_TEST(drain.times == 1);
    BOOST_TEST(!drain.code);
    BOOST_TEST(drain.report.in_time);
    BOOST_TEST(drain.report.finished == 1u);
    BOOST_TEST(drain.report.terminated == 0u);
    BOOST_TEST(drain.report.tasks == 4u);
    BOOST_TEST((drain.report.took > 50ms));
    ending late;
    pool->apply(soon, 1, late.note());
    run();
    BOOST_TEST((late.code == errc::pool_closed));
}

BOOST_FIXTURE_TEST_CASE(what_does_not_end_in_time_is_terminated, fixture)
{
    ending done, hangs, drain;
    pool->apply(hang, 1, hangs.note());
    pool->apply(soon, 1, done.note());
    pool->drain(5s, drain.note()); // in which workers start, too
    run();
    BOOST_TEST(!done.code);
    BOOST_TEST((hangs.code == errc::pool_terminated));
    BOOST_TEST(hangs.times == 1);
    BOOST_TEST(drain.times == 1);
    BOOST_TEST(!drain.code);
    BOOST_TEST(!drain.report.in_time);
    BOOST_TEST(drain.report.finished == 1u);
    BOOST_TEST(drain.report.terminated == 1u);
    BOOST_TEST(drain.report.tasks == 1u);
    BOOST_TEST((drain.report.took >= 5s));
}

BOOST_FIXTURE_TEST_CASE(no_time_at_all_terminates_at_once, fixture)
{
    for (const duration limit : {duration::zero(), duration(-5s), duration::min()}) {
        pool.emplace(ctx, 2);
        ending hangs, drain;
        pool->apply(hang, 1, hangs.note());
        run_until_running(1);
        pool->drain(limit, drain.note());
        run();
        BOOST_TEST((hangs.code == errc::pool_terminated));
        BOOST_TEST(!drain.report.in_time);
        BOOST_TEST(drain.times == 1);
    }
}

BOOST_FIXTURE_TEST_CASE(the_longest_time_has_no_end, fixture)
{
    ending call, drain;
    pool->apply(soon, 1, call.note());
    pool->drain(duration::max(), drain.note());
    run();
    BOOST_TEST(!call.code);
    BOOST_TEST(drain.report.in_time);
}

BOOST_FIXTURE_TEST_CASE(the_shortest_of_several_times_holds, fixture)
{
    ending hangs, first, second;
    pool->apply(hang, 1, hangs.note());
    pool->drain(duration::max(), first.note());
    run_until_running(1);
    pool->drain(100ms, second.note());
    run();
    BOOST_TEST(first.times == 1);
    BOOST_TEST(second.times == 1);
    BOOST_TEST(!first.report.in_time);
    BOOST_TEST(first.report.terminated == 1u);
    BOOST_TEST(second.report.terminated == 1u);
    ending third; // when there is nothing left
    pool->drain(0s, third.note());
    run();
    BOOST_TEST(third.times == 1);
    BOOST_TEST(!third.code);
    BOOST_TEST(third.report.in_time);
    BOOST_TEST(third.report.finished == 0u);
}

BOOST_FIXTURE_TEST_CASE(idle_workers_end_in_order_even_without_time, fixture)
{
    char journal[] = "/tmp/twat_mp_drain_XXXXXX";
    ::close(::mkstemp(journal));
    pool_options options;
    options.nodes = 1;
    options.finalizer = task([](const std::string& file) { std::ofstream(file) << "finalized"; }, std::string(journal));
    pool.emplace(ctx, options);
    ending drain;
    run_coro([&]() -> asio::awaitable<void> {
        co_await pool->start();
        pool->drain(0s, drain.note());
    });
    run();
    std::string line;
    std::getline(std::ifstream(journal), line);
    std::filesystem::remove(journal);
    BOOST_TEST(line == "finalized");
    BOOST_TEST(drain.report.in_time);
}

BOOST_FIXTURE_TEST_CASE(streams_run_to_the_end_of_their_input_or_are_terminated, fixture)
{
    ending drain;
    auto known = pool->imap(soon, std::vector<int>{1, 2, 3});
    pool->drain(60s, drain.note());
    run();
    BOOST_TEST(drain.report.in_time);
    BOOST_TEST(drain.report.tasks == 3u);

    pool.emplace(ctx, 2);
    auto hangs = pool->imap(hang, std::views::iota(0));
    ending last;
    pool->drain(100ms, last.note());
    run();
    BOOST_TEST(last.report.terminated == 1u);
    ending read;
    hangs.next(read.note());
    run();
    BOOST_TEST((read.code == errc::pool_terminated));
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_wait_leaves_the_pool_to_its_end, fixture)
{
    asio::cancellation_signal signal;
    ending hangs, drain;
    pool->apply(hang, 1, hangs.note());
    run_until_running(1);
    pool->drain(300ms, asio::bind_cancellation_slot(signal.slot(), drain.note()));
    signal.emit(asio::cancellation_type::total);
    run();
    BOOST_TEST(drain.times == 1);
    BOOST_TEST((drain.code == asio::error::operation_aborted));
    BOOST_TEST((hangs.code == errc::pool_terminated));
}

BOOST_FIXTURE_TEST_CASE(a_pool_may_be_destroyed_while_it_is_drained, fixture)
{
    ending hangs, drain;
    pool->apply(hang, 1, hangs.note());
    run_until_running(1);
    pool->drain(60s, drain.note());
    ctx.poll();
    pool.reset();
    run();
    BOOST_TEST(hangs.times == 1);
    BOOST_TEST(drain.times == 1);
    BOOST_TEST((drain.code == asio::error::operation_aborted));
    BOOST_TEST(drain.report.terminated == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_pool_that_has_ended_is_drained_at_once, fixture)
{
    for (const int how : {0, 1, 2, 3}) {
        pool.emplace(ctx, 1);
        ending call, drain, joined;
        if (how != 3)
            pool->apply(soon, 1, call.note());
        if (how == 0)
            pool->terminate();
        if (how == 1)
            pool->close();
        if (how == 2)
            pool->join(joined.note());
        pool->drain(60s, drain.note());
        run();
        BOOST_TEST(drain.times == 1);
        BOOST_TEST(!drain.code);
        BOOST_TEST(drain.report.in_time);
    }
}

BOOST_FIXTURE_TEST_CASE(a_broken_pool_is_drained_at_once, fixture)
{
    pool_options options;
    options.nodes = 1;
    options.executable = "/bin/false";
    pool.emplace(ctx, options);
    ending start, drain;
    pool->start(start.note());
    run();
    BOOST_TEST(start.code.failed());
    pool->drain(60s, drain.note());
    run();
    BOOST_TEST(drain.times == 1);
    BOOST_TEST(!drain.code);
}

BOOST_FIXTURE_TEST_CASE(it_can_be_awaited, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        const drain_report report = co_await pool->drain(5s);
        BOOST_TEST(report.in_time);
    });
}

BOOST_AUTO_TEST_CASE(a_blocking_pool_is_drained_too)
{
    process_pool pool(2);
    auto hangs = pool.submit(hang, 1);
    auto done = pool.submit(soon, 1);
    const drain_report report = pool.drain(1s);
    BOOST_TEST(!report.in_time);
    BOOST_TEST(report.finished == 1u);
    BOOST_TEST(report.terminated == 1u);
    BOOST_CHECK_THROW(hangs.get(), error);
    BOOST_TEST(done.get() == 1);
    BOOST_TEST(pool.drain(0s).in_time);
    pool.join();
}

BOOST_AUTO_TEST_SUITE_END()
