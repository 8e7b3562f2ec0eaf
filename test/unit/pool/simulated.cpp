// SPDX-License-Identifier: BSL-1.0
// Whole pools on workers that the library does not know: they are far away, answer late, and come and go by themselves.
#include "simulated_workers.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <twat/mp/async_pool.hpp>
#include <twat/mp/error.hpp>
#include <twat/mp/exceptions.hpp>
#include <twat/mp/multi_pool.hpp>
#include <twat/mp/with_pool.hpp>
#include <twat/mp/worker.hpp>

#include "io_context_fixture.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;

namespace {

std::array<std::atomic<int>, 4000> runs; // of the task with this argument; the workers are in this process after all
std::atomic<int> waiting{0};             // tasks that wait to be stopped

int square(int i) { return i * i; }

int square_counted(int i)
{
    ++runs[static_cast<std::size_t>(i)];
    std::this_thread::sleep_for(500us);
    return i * i;
}

int square_slowly(int i)
{
    ++runs[static_cast<std::size_t>(i)];
    std::this_thread::sleep_for(20ms);
    return i * i;
}

int add(int a, int b) { return a + b; }

std::string text_of(int i) { return std::to_string(i); }
std::string in_brackets(const std::string& a, const std::string& b) { return "(" + a + b + ")"; }

int refuse_three(int i) { return i == 3 ? throw std::out_of_range("three") : i; }

int wait_to_be_stopped(int i)
{
    ++waiting;
    const auto stop = this_task::stop_token();
    while (!stop.stop_requested())
        std::this_thread::sleep_for(1ms);
    --waiting;
    return i;
}

boost::asio::awaitable<int> square_later(int i)
{
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 2ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return i* i;
}

bool is_even(int i) { return i % 2 == 0; }

template <class Condition>
bool eventually(Condition&& condition)
{
    for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(1ms))
        if (condition())
            return true;
    return false;
}

std::vector<int> numbers(int n)
{
    std::vector<int> made(static_cast<std::size_t>(n));
    std::iota(made.begin(), made.end(), 0);
    return made;
}

std::vector<int> squares(int n)
{
    std::vector<int> made = numbers(n);
    for (int& i : made)
        i *= i;
    return made;
}

template <class Call>
boost::system::error_code code_of_failure(Call&& call)
{
    try {
        call();
    }
    catch (const boost::system::system_error& e) {
        return e.code();
    }
    return {};
}

struct fixture
{
    fixture()
    {
        for (auto& count : runs)
            count = 0;
        waiting = 0;
    }
    std::shared_ptr<simulated_hosts> hosts = std::make_shared<simulated_hosts>(1ms, 3);
    multi_pool<simulated_workers> pool{simulated_options{.hosts = hosts}};

    bool each_ran_once(int n) const
    {
        return std::all_of(runs.begin(), runs.begin() + n, [](const auto& count) { return count == 1; });
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_simulated_workers, fixture)

BOOST_AUTO_TEST_CASE(all_verbs_work)
{
    const auto in = numbers(200);
    BOOST_TEST(pool.apply(add, 3, 4) == 7);
    BOOST_TEST(pool.apply(square_later, 5) == 25);
    BOOST_TEST((pool.map(square, in) == squares(200)));
    BOOST_TEST((pool.map(add, in, in)[199]) == 398);
    BOOST_TEST((pool.map(square_later, numbers(20)) == squares(20)));
    const std::vector<std::tuple<int, int>> rows{{1, 2}, {3, 4}};
    BOOST_TEST((pool.starmap(add, rows) == std::vector<int>{3, 7}));
    const auto tried = pool.try_map(refuse_three, numbers(5));
    BOOST_TEST(tried[2].value() == 2);
    BOOST_CHECK_THROW(std::rethrow_exception(tried[3].error()), std::out_of_range);
    BOOST_TEST(task_index(tried[3].error()).value() == 3u);
    BOOST_CHECK_THROW(pool.map(refuse_three, numbers(10)), std::out_of_range);
    std::vector<int> read;
    for (const int i : pool.imap(square, in))
        read.push_back(i);
    BOOST_TEST((read == squares(200)));
    int sum = 0;
    for (const int i : pool.uimap(square, in))
        sum += i;
    BOOST_TEST(sum == std::accumulate(read.begin(), read.end(), 0));
    BOOST_TEST(pool.reduce(square, std::plus<int>(), 0, in) == sum);
    BOOST_TEST(pool.filter(is_even, in).size() == 100u);
    BOOST_TEST(pool.submit(square, 9).get() == 81);
}

BOOST_AUTO_TEST_CASE(there_are_as_many_nodes_as_workers)
{
    pool.start();
    BOOST_TEST(eventually([&] { return pool.apply(square, 1) == 1 && pool.nodes() == 3; }));
    const auto fourth = hosts->come();
    hosts->come();
    BOOST_TEST(eventually([&] { return pool.apply(square, 1) == 1 && pool.nodes() == 5; }));
    hosts->leave(fourth);
    BOOST_TEST(eventually([&] { return pool.apply(square, 1) == 1 && pool.nodes() == 4; }));
    BOOST_TEST(pool.stats().died == 0u);
    pool.resize(77); // is theirs to decide
    BOOST_TEST(pool.nodes() == 4u);
}

// A pool that nobody is left in counts one node: a fold is cut by their number.
BOOST_AUTO_TEST_CASE(a_fold_is_cut_into_parts_where_everybody_has_left)
{
    const auto empty = std::make_shared<simulated_hosts>(1ms);
    multi_pool<simulated_workers> alone(simulated_options{.hosts = empty});
    const auto only = empty->come();
    BOOST_TEST(alone.apply(square, 3) == 9);
    empty->leave(only);
    BOOST_TEST(eventually([&] { return alone.stats().ready == 0; }));
    BOOST_TEST(alone.nodes() == 1u);
    std::jthread comes([&] {
        std::this_thread::sleep_for(20ms);
        empty->come();
    });
    // Each part has one element: as one part they would be put together before the beginning is put before them.
    BOOST_TEST(alone.reduce(text_of, in_brackets, std::string("-"), numbers(4)) == "((((-0)1)2)3)");
}

BOOST_AUTO_TEST_CASE(a_call_waits_for_the_first_who_comes)
{
    const auto empty = std::make_shared<simulated_hosts>(1ms);
    multi_pool<simulated_workers> alone(simulated_options{.hosts = empty});
    auto result = alone.submit(square, 3);
    BOOST_TEST((result.wait_for(20ms) == std::future_status::timeout));
    empty->come();
    BOOST_TEST(result.get() == 9);
    alone.start();
}

BOOST_AUTO_TEST_CASE(and_ends_in_an_error_if_nobody_does)
{
    const auto empty = std::make_shared<simulated_hosts>(1ms);
    multi_pool<simulated_workers> alone(simulated_options{.hosts = empty, .patience = 40ms});
    BOOST_TEST(code_of_failure([&] { alone.apply(square, 3); }) == make_error_code(errc::worker_start_failed));
    BOOST_TEST(code_of_failure([&] { alone.start(); }) == make_error_code(errc::worker_start_failed));
    const auto each = alone.try_map(square, numbers(3));
    BOOST_TEST(std::none_of(each.begin(), each.end(), [](const auto& r) { return r.has_value(); }));
    empty->come();
    BOOST_TEST(eventually([&] { return !code_of_failure([&] { alone.apply(square, 3); }); })); // nothing is broken
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_in_order_loses_nothing)
{
    auto results = pool.amap(square_counted, numbers(1500));
    BOOST_TEST(eventually([] { return runs[100] != 0; }));
    const auto fresh = hosts->come();
    hosts->leave(fresh - 1);
    hosts->leave(fresh - 2);
    BOOST_TEST((results.get() == squares(1500)));
    BOOST_TEST(each_ran_once(1500));
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_lost_loses_what_it_ran_and_the_rest_runs_elsewhere)
{
    std::atomic<bool> over{false};
    std::thread assassin([&] {
        BOOST_TEST(eventually([] { return runs[60] != 0; }));
        hosts->lose(hosts->come() - 1);
        over = true;
    });
    const auto results = pool.try_map(square_counted, numbers(1000));
    assassin.join();
    std::size_t lost = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto& r = results[static_cast<std::size_t>(i)];
        if (r.has_value()) {
            BOOST_TEST(r.value() == i * i);
        } else {
            ++lost;
            BOOST_TEST(code_of_failure([&] { std::rethrow_exception(r.error()); }) ==
                       make_error_code(errc::worker_died));
            BOOST_TEST(task_index(r.error()).value() == static_cast<std::size_t>(i));
        }
    }
    BOOST_TEST(lost <= 1u);
    BOOST_TEST(each_ran_once(1000));
    BOOST_TEST(pool.stats().died == 1u);
}

BOOST_AUTO_TEST_CASE(with_retries_it_loses_nothing)
{
    auto handle = pool.with({.retries = 3});
    auto results = handle.amap(square_counted, numbers(1500));
    BOOST_TEST(eventually([] { return runs[60] != 0; }));
    hosts->lose(hosts->come() - 1);
    BOOST_TEST((results.get() == squares(1500)));
}

BOOST_AUTO_TEST_CASE(who_comes_late_gets_what_others_have_not_begun)
{
    const auto far = std::make_shared<simulated_hosts>(5ms, 1);
    multi_pool<simulated_workers> busy(simulated_options{.hosts = far});
    // the one that is there holds all of it
    auto results = busy.with({.chunk_size = 60}).amap(square_slowly, numbers(120));
    BOOST_TEST(eventually([] { return runs[1] != 0; }));
    far->come();
    BOOST_TEST((results.get() == squares(120)));
    BOOST_TEST(each_ran_once(120));
    BOOST_TEST(far->taken_back != 0u);
    BOOST_TEST(far->recalls < 60u); // and asks for it with measure
}

BOOST_AUTO_TEST_CASE(a_cancellation_of_type_terminal_ends_a_call_at_once_and_frees_its_worker)
{
    io_context_fixture loop;
    basic_async_pool<simulated_workers> async(loop.ctx, simulated_options{.hosts = hosts});
    boost::asio::cancellation_signal signal;
    auto call =
        async.apply(wait_to_be_stopped, 1, boost::asio::bind_cancellation_slot(signal.slot(), boost::asio::use_future));
    std::thread runner([&] { loop.ctx.run(); });
    BOOST_TEST(eventually([] { return waiting == 1; }));
    boost::asio::post(loop.ctx, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
    BOOST_TEST(code_of_failure([&] { call.get(); }) ==
               boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    BOOST_TEST(eventually([] { return waiting == 0; }));
    runner.join(); // the pool keeps no loop busy
    loop.ctx.restart();
    auto next = async.map(square, numbers(50), boost::asio::use_future);
    loop.ctx.run();
    BOOST_TEST((next.get() == squares(50)));
}

BOOST_AUTO_TEST_CASE(a_cancellation_of_type_total_waits_until_the_workers_have_said_what_they_began)
{
    hosts = std::make_shared<simulated_hosts>(1ms, 1);
    io_context_fixture loop;
    basic_async_pool<simulated_workers> async(loop.ctx, simulated_options{.hosts = hosts});
    boost::asio::cancellation_signal running, queued;
    auto runs_now = async.apply(wait_to_be_stopped, 1,
                                boost::asio::bind_cancellation_slot(running.slot(), boost::asio::use_future));
    std::thread runner([&] { loop.ctx.run(); });
    BOOST_TEST(eventually([] { return waiting == 1; }));
    auto waits = async.apply(square, 2, boost::asio::bind_cancellation_slot(queued.slot(), boost::asio::use_future));
    std::this_thread::sleep_for(5ms); // it is sent, and lies behind the other one
    boost::asio::post(loop.ctx, [&] {
        queued.emit(boost::asio::cancellation_type::total);
        running.emit(boost::asio::cancellation_type::total); // has begun: no effect
    });
    BOOST_TEST(code_of_failure([&] { waits.get(); }) ==
               boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    BOOST_TEST(waiting == 1);
    boost::asio::post(loop.ctx, [&] { running.emit(boost::asio::cancellation_type::partial); });
    BOOST_TEST(code_of_failure([&] { runs_now.get(); }) ==
               boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    runner.join();
}

BOOST_AUTO_TEST_CASE(timeouts_hold)
{
    BOOST_TEST(code_of_failure([&] { pool.with({.timeout = 30ms}).apply(wait_to_be_stopped, 1); }) ==
               make_error_code(errc::task_timed_out));
    BOOST_TEST(code_of_failure([&] { pool.with({.deadline = 30ms}).apply(wait_to_be_stopped, 1); }) ==
               make_error_code(errc::deadline_exceeded));
    const auto alone = std::make_shared<simulated_hosts>(1ms, 1);
    multi_pool<simulated_workers> one(simulated_options{.hosts = alone});
    auto first = one.submit(wait_to_be_stopped, 1);
    BOOST_TEST(eventually([] { return waiting == 1; }));
    BOOST_TEST(code_of_failure([&] { one.with({.queue_timeout = 20ms}).apply(square, 1); }) ==
               make_error_code(errc::queue_timed_out));
    first.cancel();
    BOOST_TEST(code_of_failure([&] { first.get(); }) ==
               boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
    BOOST_TEST(one.apply(square, 6) == 36);
}

BOOST_AUTO_TEST_CASE(a_pool_closes_joins_and_begins_anew)
{
    auto outstanding = pool.amap(square_counted, numbers(300));
    pool.close();
    BOOST_TEST(code_of_failure([&] { pool.apply(square, 1); }) == make_error_code(errc::pool_closed));
    pool.join();
    BOOST_TEST((outstanding.wait_for(0s) == std::future_status::ready));
    BOOST_TEST((outstanding.get() == squares(300)));
    pool.restart();
    BOOST_TEST(pool.apply(square, 5) == 25);
}

BOOST_AUTO_TEST_CASE(a_pool_is_terminated)
{
    auto outstanding = pool.submit(wait_to_be_stopped, 1);
    BOOST_TEST(eventually([] { return waiting == 1; }));
    pool.terminate();
    BOOST_TEST(code_of_failure([&] { outstanding.get(); }) == make_error_code(errc::pool_terminated));
    BOOST_TEST(code_of_failure([&] { pool.apply(square, 1); }) == make_error_code(errc::pool_terminated));
    const auto report =
        multi_pool<simulated_workers>(simulated_options{.hosts = std::make_shared<simulated_hosts>(1ms, 2)}).drain(0s);
    BOOST_TEST(report.in_time);
}

BOOST_AUTO_TEST_CASE(an_awaitable_pool_runs_in_its_scope)
{
    io_context_fixture loop;
    simulated_options options{.hosts = hosts};
    auto body = [](basic_async_pool<simulated_workers>& made) -> boost::asio::awaitable<int> {
        co_await made.start();
        int sum = 0;
        auto stream = made.imap(square, numbers(30));
        for (;;) {
            const auto next = co_await stream.next(boost::asio::use_awaitable);
            if (!next)
                break;
            sum += *next;
        }
        co_return sum;
    };
    auto done = boost::asio::co_spawn(loop.ctx, with_pool<simulated_workers>(options, body), boost::asio::use_future);
    loop.ctx.run();
    BOOST_TEST(done.get() == 8555);
}

BOOST_AUTO_TEST_CASE(everything_has_its_answer_while_workers_come_and_go)
{
    std::atomic<bool> over{false};
    std::thread fate([&] {
        std::mt19937 random(7);
        std::vector<detail::worker_id> there;
        while (!over) {
            std::this_thread::sleep_for(3ms);
            if (there.size() < 3 || random() % 2 == 0) {
                there.push_back(hosts->come());
            } else {
                const auto which = there.begin() + static_cast<std::ptrdiff_t>(random() % there.size());
                random() % 2 == 0 ? hosts->leave(*which) : hosts->lose(*which);
                there.erase(which);
            }
            if (there.size() > 6) {
                hosts->leave(there.back());
                there.pop_back();
            }
        }
    });
    for (int round = 0; round < 3; ++round) {
        BOOST_TEST((pool.with({.retries = 50}).map(square_counted, numbers(1500)) == squares(1500)));
        const auto tried = pool.with({.chunk_size = 20}).try_map(square_counted, numbers(1000));
        BOOST_TEST(tried.size() == 1000u);
        for (std::size_t i = 0; i < tried.size(); ++i)
            if (tried[i].has_value())
                BOOST_TEST(tried[i].value() == static_cast<int>(i * i));
    }
    over = true;
    fate.join();
}

BOOST_AUTO_TEST_SUITE_END()
