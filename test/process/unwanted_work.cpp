// SPDX-License-Identifier: BSL-1.0
// No worker process stays busy with what nobody waits for.
#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

namespace {

/// Where tasks that hang say so, by one byte each.
std::string journal(int pid) { return "/tmp/twat_mp_unwanted_work_" + std::to_string(pid); }

/// Returns at once for 0, never for another.
int hang(int x)
{
    if (x != 0)
        std::ofstream(journal(::getppid()), std::ios::app) << '!';
    while (x != 0)
        std::this_thread::sleep_for(1s);
    return x;
}

int hang_or_throw(int x) { return x == 1 ? throw std::domain_error("one") : hang(x); }

asio::awaitable<int> wait_for_ever(int x)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    if (x != 0)
        co_await timer.async_wait(asio::use_awaitable);
    co_return x;
}

int same(int x) { return x; }

struct fixture : test::io_context_fixture
{
    async_multi_pool pool{ctx, 2};

    fixture() { std::ofstream(journal(::getpid())).close(); }
    ~fixture() { std::filesystem::remove(journal(::getpid())); }

    /// Waits until so many tasks hang.
    asio::awaitable<void> hanging(std::size_t count)
    {
        asio::steady_timer timer(ctx);
        while (std::filesystem::file_size(journal(::getpid())) < count) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    /// Every worker takes a task within a generous time.
    asio::awaitable<void> expect_free_workers()
    {
        call_options bounded{.chunk_size = 1, .deadline = 20s};
        auto handle = pool.with(bounded);
        const std::vector<int> inputs{1, 2, 3, 4};
        const auto outputs = co_await handle.map(same, inputs);
        BOOST_TEST(outputs == inputs, boost::test_tools::per_element());
    }
};

std::string what(const std::exception_ptr& error)
{
    try {
        if (error)
            std::rethrow_exception(error);
    }
    catch (const std::exception& e) {
        return e.what();
    }
    return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_unwanted_work)

BOOST_FIXTURE_TEST_CASE(a_dropped_stream_frees_the_workers_that_it_kept, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        call_options singly{.chunk_size = 1};
        auto handle = pool.with(singly);
        {
            const std::vector<int> inputs{0, 1, 2, 3};
            auto stream = handle.imap(hang, inputs);
            BOOST_TEST(*co_await stream.next() == 0);
            co_await hanging(2);
        }
        co_await expect_free_workers();
        BOOST_TEST(pool.stats().restarts != 0u); // by force
    });
}

BOOST_FIXTURE_TEST_CASE(a_dropped_stream_may_not_be_allowed_more_than_a_timeout, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        call_options weak{.chunk_size = 1, .timeout = 300ms, .cancel_limit = asio::cancellation_type::total};
        auto handle = pool.with(weak);
        {
            const std::vector<int> inputs{0, 1, 2, 3};
            auto stream = handle.imap(hang, inputs);
            BOOST_TEST(*co_await stream.next() == 0);
            co_await hanging(2);
        }
        co_await expect_free_workers();
        BOOST_TEST(pool.stats().restarts != 0u);
    });
}

BOOST_FIXTURE_TEST_CASE(coroutines_of_a_dropped_stream_are_cancelled, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        {
            const std::vector<int> inputs{0, 1, 2, 3};
            auto stream = pool.imap(wait_for_ever, inputs);
            BOOST_TEST(*co_await stream.next() == 0);
        }
        co_await expect_free_workers();
        BOOST_TEST(pool.stats().restarts == 0u);
    });
}

// The coroutine that reads is cancelled in `next`, and the stream goes with it.
BOOST_FIXTURE_TEST_CASE(a_cancelled_coroutine_takes_its_stream_with_it, fixture)
{
    asio::cancellation_signal signal;
    std::string told = "nothing";
    const auto reads = [](async_multi_pool& from) -> asio::awaitable<void> {
        const std::vector<int> inputs{1, 2};
        auto stream = from.with({.chunk_size = 1}).imap(hang, inputs);
        co_await stream.next();
    };
    asio::co_spawn(ctx, reads(pool),
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { told = what(e); }));
    run_coro([&]() -> asio::awaitable<void> {
        co_await hanging(2);
        signal.emit(asio::cancellation_type::terminal);
        co_await expect_free_workers();
    });
    BOOST_TEST(told.starts_with("Operation canceled"));
}

BOOST_FIXTURE_TEST_CASE(a_range_that_was_dropped_with_its_stream_is_not_read_any_more, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        call_options singly{.chunk_size = 1, .window = 4};
        auto handle = pool.with(singly);
        for (int i = 0; i < 100; ++i) { // under the sanitizers this would be told
            auto inputs = std::make_unique<std::vector<int>>(100, i);
            std::optional stream(handle.imap(same, *inputs));
            BOOST_TEST(*co_await stream->next() == i);
            stream.reset();
            std::fill(inputs->begin(), inputs->end(), -1);
            inputs.reset();
        }
    });
}

BOOST_FIXTURE_TEST_CASE(a_timeout_holds_after_a_partial_cancellation, fixture)
{
    asio::cancellation_signal signal;
    std::string told = "nothing";
    pool.with({.timeout = 300ms})
        .apply(hang, 1,
               asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, int) { told = what(e); }));
    run_coro([&]() -> asio::awaitable<void> {
        co_await hanging(1);
        signal.emit(asio::cancellation_type::partial);
    });
    BOOST_TEST(told.starts_with("Operation canceled"));
    BOOST_TEST(pool.stats().restarts == 1u); // the context had work until then
}

BOOST_FIXTURE_TEST_CASE(a_map_can_fail_fast, fixture)
{
    run_coro([&]() -> asio::awaitable<void> {
        call_options fast{.chunk_size = 1, .fail_fast = true, .cancel_limit = asio::cancellation_type::none};
        auto handle = pool.with(fast);
        const std::vector<int> inputs{2, 1};
        std::exception_ptr error;
        try {
            co_await handle.map(hang_or_throw, inputs); // would never return
        }
        catch (...) {
            error = std::current_exception();
        }
        BOOST_TEST(what(error) == "one");
        BOOST_TEST(*task_index(error) == 1u);
        co_await expect_free_workers();
    });
}

BOOST_AUTO_TEST_CASE(a_dropped_range_frees_the_workers_that_it_kept)
{
    process_pool pool(2);
    {
        auto range = pool.with({.chunk_size = 1}).imap(hang, std::vector<int>{0, 1, 2, 3});
        BOOST_TEST(*range.begin() == 0);
    }
    BOOST_TEST(pool.with({.deadline = 20s}).map(same, std::vector<int>{1, 2}).size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
