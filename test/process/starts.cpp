// SPDX-License-Identifier: BSL-1.0
// Many workers that start at once, and loops that are away while workers answer.
#include <twat/mp.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "os/available_cpus.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

void compute(int milliseconds)
{
    const auto used = [] {
        timespec t{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
    };
    const auto end = used() + std::chrono::milliseconds(milliseconds);
    while (used() < end)
        ;
}

/// Adds a byte to the file and waits until it has so many.
void meet(const std::string& file, std::size_t count)
{
    const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::write(fd, "x", 1) != 1)
        throw std::runtime_error("cannot write");
    ::close(fd);
    while (std::filesystem::file_size(file) < count)
        std::this_thread::sleep_for(1ms);
}

int square(int x) { return x * x; }

int sleep_until_stopped(int)
{
    const auto stop = this_task::stop_token();
    while (!stop.stop_requested())
        std::this_thread::sleep_for(1ms);
    return 0;
}

int sleep_for(int milliseconds)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

/// A loop that is away most of the time.
struct busy_loop
{
    asio::io_context context{1};
    bool done = false;
    std::exception_ptr error;

    /// Runs the loop until `done`; from `begin()` on each turn is followed by so long a pause.
    template <class Begin>
    void run(std::chrono::milliseconds pause, Begin begin)
    {
        done = false;
        error = nullptr;
        asio::post(context, begin);
        context.restart();
        while (!done && context.poll_one() + context.run_one_for(10s) != 0)
            std::this_thread::sleep_for(pause);
        BOOST_TEST(done);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_starts)

BOOST_AUTO_TEST_CASE(no_more_workers_start_at_once_than_there_are_cpus)
{
    const std::size_t cpus = detail::available_cpus();
    std::atomic<std::size_t> starting = 0, most = 0;
    pool_options options;
    options.nodes = 2 * cpus + 6;
    options.initializer = task(compute, 50);
    options.start_timeout = 60s;
    options.on_event = [&](const pool_event& event) {
        if (event.what == pool_event::worker_started)
            most = std::max<std::size_t>(most, ++starting);
        else if (event.what == pool_event::worker_ready)
            --starting;
    };
    process_pool pool(options);
    pool.start();
    BOOST_TEST(pool.stats().ready == options.nodes);
    BOOST_TEST(most <= cpus + 1); // one that the program waits for while it loads may count as asleep
}

// The time is up before there is a process: nobody cancelled anything.
BOOST_AUTO_TEST_CASE(a_start_that_has_no_time_is_told_as_that)
{
    process_pool pool({.nodes = 1, .start_timeout = 1ns});
    const auto names_the_option = [](const error& e) {
        return e.code() == errc::worker_start_failed &&
               std::string_view(e.what()).find("pool_options::start_timeout") != std::string_view::npos;
    };
    BOOST_CHECK_EXCEPTION(pool.start(), error, [&](const error& e) {
        try {
            std::rethrow_if_nested(e); // of a pool that is broken by then
        }
        catch (const error& cause) {
            return names_the_option(cause);
        }
        return names_the_option(e);
    });
}

BOOST_AUTO_TEST_CASE(initializers_that_wait_hold_up_nobody)
{
    std::string folder = (std::filesystem::temp_directory_path() / "twat-mp-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(folder.data()));
    const std::size_t nodes = detail::available_cpus() + 4;
    pool_options options;
    options.nodes = nodes;
    options.initializer = task(meet, folder + "/file", nodes); // each waits for all others
    options.start_timeout = 60s;
    process_pool pool(options);
    BOOST_CHECK_NO_THROW(pool.start());
    std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(one_call_gets_its_worker_while_the_others_still_wait_for_their_turn)
{
    asio::io_context context;
    async_multi_pool pool(context, 20);
    for (int i = 0; i < 5; ++i) {
        int result = 0;
        pool.apply(square, i, [&](std::exception_ptr, int value) { result = value; });
        context.restart();
        context.run(); // those that did not start are no work
        BOOST_TEST(result == i * i);
    }
}

BOOST_AUTO_TEST_CASE(a_loop_that_was_away_kills_no_worker_that_has_started_meanwhile)
{
    busy_loop loop;
    pool_options options;
    options.nodes = 2;
    options.start_timeout = 2s;
    options.nice = 0; // they have to start in time, whatever else this machine does
    async_multi_pool pool(loop.context, options);
    loop.run(5s, [&] { pool.start([&](std::exception_ptr e) { loop.done = true, loop.error = e; }); });
    BOOST_TEST(!loop.error);
    BOOST_TEST(pool.stats().died == 0u);
    BOOST_TEST(pool.stats().restarts == 0u);
}

BOOST_AUTO_TEST_CASE(nor_one_whose_cancelled_task_has_ended_meanwhile)
{
    busy_loop loop;
    pool_options options;
    options.nodes = 1;
    options.cancel_grace = 100ms;
    async_multi_pool pool(loop.context, options);
    loop.run(0ms, [&] { pool.apply(square, 3, [&](std::exception_ptr, int) { loop.done = true; }); });

    asio::cancellation_signal signal;
    asio::steady_timer timer(loop.context, 50ms);
    timer.async_wait([&](auto) {
        signal.emit(asio::cancellation_type::terminal);
        asio::post(loop.context, [] { std::this_thread::sleep_for(1s); });
    });
    loop.run(0ms, [&] {
        pool.apply(sleep_until_stopped, 1,
                   asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr, int) { loop.done = true; }));
    });
    std::this_thread::sleep_for(500ms);
    loop.run(0ms, [&] {
        pool.apply(square, 3, [&](std::exception_ptr, int value) {
            loop.done = true;
            BOOST_TEST(value == 9);
        });
    });
    BOOST_TEST(pool.stats().restarts == 0u);
}

BOOST_AUTO_TEST_CASE(what_has_ended_in_time_is_not_late_because_the_loop_is)
{
    busy_loop loop;
    pool_options quick;
    quick.nodes = 1;
    quick.nice = 0;
    async_multi_pool pool(loop.context, quick);
    loop.run(0ms, [&] { pool.apply(square, 3, [&](std::exception_ptr, int) { loop.done = true; }); });
    for (const call_options& options : {call_options{.deadline = 2s}, call_options{.timeout = 2s}}) {
        loop.run(0ms, [&] {
            pool.with(options).apply(sleep_for, 20,
                                     [&](std::exception_ptr e, int) { loop.done = true, loop.error = e; });
            // Comes when the task was handed out.
            asio::post(loop.context, [&] { asio::post(loop.context, [] { std::this_thread::sleep_for(3s); }); });
        });
        BOOST_TEST(!loop.error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
