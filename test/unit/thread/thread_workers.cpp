// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "thread/thread_workers.hpp"

#include <twat/mp/error.hpp>
#include <twat/mp/worker.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <set>
#include <stdexcept>
#include <thread>

#include "fake_events.hpp"
#include "start/worker_context.hpp"

using namespace twat::mp;
using namespace twat::mp::test;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

BOOST_FIXTURE_TEST_SUITE(test_thread_workers, thread_workers_fixture)

BOOST_AUTO_TEST_CASE(every_worker_becomes_ready)
{
    make_ready(3);
    BOOST_TEST(std::set<worker_id>(events.ready.begin(), events.ready.end()).size() == 3u);
    BOOST_TEST(events.decided > 0);
}

BOOST_AUTO_TEST_CASE(the_tasks_of_a_chunk_run_in_order_in_a_thread_of_the_pool)
{
    make_ready(1);
    std::vector<std::uint64_t> seen;
    std::thread::id where;
    const chunk& work = make_chunk(
        [&](std::uint64_t index) {
            seen.push_back(index);
            where = std::this_thread::get_id();
        },
        4, 10);
    workers->submit(events.ready[0], work);
    run_to_end(work);
    BOOST_TEST(seen == (std::vector<std::uint64_t>{10, 11, 12, 13}), per_element());
    BOOST_TEST((where != std::this_thread::get_id()));
    BOOST_TEST(events.finished[work.id] == (std::vector<std::size_t>{0, 1, 2, 3}), per_element());
    BOOST_TEST(static_cast<int_payload&>(*work.tasks).values == (std::vector<int>{20, 22, 24, 26}), per_element());
}

BOOST_AUTO_TEST_CASE(a_failed_task_does_not_stop_the_ones_behind_it)
{
    make_ready(1);
    const chunk& work = make_chunk(
        [](std::uint64_t index) {
            if (index == 1)
                throw std::domain_error("boom");
        },
        3);
    workers->submit(events.ready[0], work);
    run_to_end(work);
    BOOST_TEST(events.finished[work.id] == (std::vector<std::size_t>{0, 2}), per_element());
    BOOST_CHECK_THROW(std::rethrow_exception(events.failed[work.id].at(1)), std::domain_error);
}

BOOST_AUTO_TEST_CASE(chunks_of_a_worker_run_one_behind_the_other)
{
    make_ready(1);
    std::atomic<int> inside = 0, most = 0;
    auto f = [&](std::uint64_t) {
        most = std::max(most.load(), ++inside);
        --inside;
    };
    for (int i = 0; i < 20; ++i)
        workers->submit(events.ready[0], make_chunk(f, 5));
    run_until([&] { return events.ended.size() == 20; });
    BOOST_TEST(most == 1);
}

// One post for each task would cost more than the task.
BOOST_AUTO_TEST_CASE(short_tasks_are_reported_together)
{
    make_ready(1);
    const int before = events.decided;
    const chunk& work = make_chunk([](std::uint64_t) {}, 1000);
    workers->submit(events.ready[0], work);
    run_to_end(work);
    BOOST_TEST(events.finished[work.id].size() == 1000u);
    BOOST_TEST(events.decided - before < 500);
}

BOOST_AUTO_TEST_CASE(long_tasks_are_reported_before_their_chunk_ends)
{
    make_ready(1);
    gate go;
    const chunk& work = make_chunk(
        [&](std::uint64_t index) {
            if (index == 1)
                go.pass();
            else
                std::this_thread::sleep_for(2ms);
        },
        2);
    workers->submit(events.ready[0], work);
    run_until([&] { return !events.finished[work.id].empty(); });
    BOOST_TEST(!has_ended(work));
    go.open();
    run_to_end(work);
}

BOOST_AUTO_TEST_CASE(recall_takes_back_what_has_not_begun)
{
    make_ready(1);
    gate begun, go;
    std::atomic<int> calls = 0;
    const chunk& work = make_chunk(
        [&](std::uint64_t) {
            ++calls;
            begun.open();
            go.pass();
        },
        10);
    workers->submit(events.ready[0], work);
    begun.pass();
    BOOST_TEST(workers->recall(events.ready[0], work.id).value() == 1u);
    go.open();
    run_to_end(work);
    BOOST_TEST(calls == 1);
    BOOST_TEST(events.finished[work.id].size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_chunk_taken_back_whole_ends_though_its_worker_is_busy)
{
    make_ready(1);
    gate begun, go;
    const chunk& first = make_chunk([&](std::uint64_t) {
        begun.open();
        go.pass();
    });
    chunk& second = make_chunk([](std::uint64_t) { BOOST_ERROR("was taken back"); }, 3);
    workers->submit(events.ready[0], first);
    workers->submit(events.ready[0], second);
    begun.pass();
    BOOST_TEST(workers->recall(events.ready[0], second.id).value() == 0u);
    BOOST_TEST(!has_ended(second)); // never from inside the call
    BOOST_TEST(workers->recall(events.ready[0], second.id).value() == 0u);
    run_to_end(second);
    BOOST_TEST(second.weak_from_this().use_count() == 1); // the queue of the busy worker does not hold it
    second.tasks.reset();
    BOOST_TEST(!has_ended(first));
    go.open();
    run_to_end(first);
}

BOOST_AUTO_TEST_CASE(nothing_is_held_of_a_chunk_that_ended)
{
    make_ready(1);
    const chunk& work = make_chunk([](std::uint64_t) {}, 3);
    workers->submit(events.ready[0], work);
    run_to_end(work);
    BOOST_TEST(work.weak_from_this().use_count() == 1);
}

BOOST_AUTO_TEST_CASE(cancel_stops_the_running_task_and_not_the_next)
{
    make_ready(1);
    gate begun;
    std::vector<bool> stopped;
    const chunk& work = make_chunk(
        [&](std::uint64_t index) {
            const auto stop = this_task::stop_token();
            if (index == 0) {
                begun.open();
                while (!stop.stop_requested())
                    std::this_thread::yield();
            }
            stopped.push_back(stop.stop_requested());
        },
        2);
    workers->submit(events.ready[0], work);
    begun.pass();
    workers->cancel(events.ready[0], work.id);
    run_to_end(work);
    BOOST_TEST(stopped == (std::vector<bool>{true, false}), per_element());
}

BOOST_AUTO_TEST_CASE(a_request_between_claim_and_begin_is_not_lost)
{
    thread_chunk held(make_chunk([](std::uint64_t) {}, 2));
    BOOST_TEST(held.gate().begin(0));
    held.request_stop();
    BOOST_TEST(held.stop_token().stop_requested());
    BOOST_TEST(held.gate().begin(1));
    held.begin_stoppable(1);
    BOOST_TEST(!held.stop_token().stop_requested());
}

BOOST_AUTO_TEST_CASE(running_tells_the_task_if_there_is_a_timeout)
{
    make_ready(1);
    gate begun, go;
    const auto before = clock::now();
    chunk& work = make_chunk(
        [&](std::uint64_t index) {
            if (index == 1) {
                begun.open();
                go.pass();
            }
        },
        3);
    work.timeout = 1h;
    workers->submit(events.ready[0], work);
    begun.pass();
    const auto running = workers->running(events.ready[0], work.id);
    BOOST_REQUIRE(running.has_value());
    BOOST_TEST(running->position == 1u);
    BOOST_TEST((running->begun >= before && running->begun <= clock::now()));
    go.open();
    run_to_end(work);
    BOOST_TEST(!workers->running(events.ready[0], work.id).has_value());
}

BOOST_AUTO_TEST_CASE(a_task_sees_its_worker_and_the_time_it_has)
{
    make_ready(2);
    struct seen
    {
        bool worker;
        std::size_t index;
        const void* pool;
        duration remaining;
    };
    std::map<worker_id, seen> all;
    for (const worker_id worker : std::vector(events.ready)) {
        chunk& work = make_chunk([&](std::uint64_t) {
            all[worker] = {this_worker::is_worker(), this_worker::index(), current_worker()->pool,
                           this_task::remaining()};
        });
        work.timeout = 1h;
        work.deadline = clock::now() + 2h;
        workers->submit(worker, work);
        run_to_end(work);
        BOOST_TEST(all[worker].worker);
        BOOST_TEST(all[worker].pool == static_cast<backend_events*>(&events));
        BOOST_TEST((all[worker].remaining > 50min && all[worker].remaining <= 1h));
    }
    BOOST_TEST(all[events.ready[0]].index + all[events.ready[1]].index == 1u);
    BOOST_TEST(!this_worker::is_worker());
}

BOOST_AUTO_TEST_CASE(the_executor_of_a_worker_runs_in_its_thread)
{
    make_ready(1);
    gate done;
    std::thread::id task, posted;
    const chunk& work = make_chunk([&](std::uint64_t) {
        task = std::this_thread::get_id();
        asio::post(this_worker::executor(), [&] {
            posted = std::this_thread::get_id();
            done.open();
        });
    });
    workers->submit(events.ready[0], work);
    done.pass();
    BOOST_TEST((task == posted));
    run_to_end(work);
}

BOOST_AUTO_TEST_CASE(coroutine_tasks_run_at_once_in_one_worker)
{
    make_ready(1);
    std::size_t inside = 0;
    std::unique_ptr<asio::steady_timer> all_in;
    auto f = [&](std::uint64_t) -> asio::awaitable<void> {
        if (!all_in)
            all_in = std::make_unique<asio::steady_timer>(co_await asio::this_coro::executor, time_point::max());
        if (++inside == 3)
            all_in->cancel();
        else
            try {
                co_await all_in->async_wait(asio::use_awaitable);
            }
            catch (const boost::system::system_error&) {
            }
    };
    for (int i = 0; i < 3; ++i)
        workers->submit(events.ready[0], make_coroutine(f));
    run_until([&] { return events.ended.size() == 3; });
    BOOST_TEST(events.finished.size() == 3u);
    // The timer must go before its context, which is the worker's.
    const chunk& last = make_chunk([&](std::uint64_t) { all_in.reset(); });
    workers->submit(events.ready[0], last);
    run_to_end(last);
}

asio::awaitable<void> wait_for_ever(std::uint64_t)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

BOOST_AUTO_TEST_CASE(cancel_reaches_a_coroutine_task)
{
    make_ready(1);
    chunk& work = make_coroutine(wait_for_ever);
    work.timeout = 1h;
    workers->submit(events.ready[0], work);
    run_until([&] { return workers->running(events.ready[0], work.id).has_value(); });
    workers->cancel(events.ready[0], work.id);
    run_to_end(work);
    BOOST_CHECK_THROW(std::rethrow_exception(events.failed[work.id].at(0)), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(cancel_reaches_a_coroutine_task_that_has_not_begun)
{
    make_ready(1);
    gate go;
    const chunk& before = make_chunk([&](std::uint64_t) { go.pass(); });
    const chunk& work = make_coroutine(wait_for_ever);
    workers->submit(events.ready[0], before);
    workers->submit(events.ready[0], work);
    workers->cancel(events.ready[0], work.id);
    go.open();
    run_to_end(work);
    BOOST_CHECK_THROW(std::rethrow_exception(events.failed[work.id].at(0)), boost::system::system_error);
}

BOOST_AUTO_TEST_CASE(an_abandoned_coroutine_task_is_heard_of_no_more)
{
    options.cancel_grace = 1ms;
    make_ready(1);
    gate begun;
    const chunk& work = make_coroutine([&](std::uint64_t) -> asio::awaitable<void> {
        begun.open();
        asio::steady_timer timer(co_await asio::this_coro::executor, time_point::max());
        for (;;) // Ignores its cancellation.
            try {
                co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
                co_await timer.async_wait(asio::use_awaitable);
            }
            catch (const boost::system::system_error&) {
            }
    });
    workers->submit(events.ready[0], work);
    begun.pass();
    workers->abandon(events.ready[0], work.id);
    const chunk& next = make_chunk([](std::uint64_t) {});
    workers->submit(events.ready[0], next);
    run_to_end(next);
    workers.reset();
    BOOST_TEST(!has_ended(work));
    BOOST_TEST(work.weak_from_this().use_count() == 1); // its frame was destroyed with the worker
}

BOOST_AUTO_TEST_CASE(two_threads_may_have_one_index_and_either_ends_by_itself)
{
    make_ready(1);
    const worker_id first = events.ready[0];
    workers->launch(++last_worker, 0);
    run_until([&] { return events.ready.size() == 2; });
    std::vector<std::size_t> indices;
    const chunk& work = make_chunk([&](std::uint64_t) { indices.push_back(this_worker::index()); });
    workers->submit(first, work);
    run_to_end(work);
    workers->end(first, end_mode::in_order);
    run_until([&] { return !events.gone.empty(); });
    BOOST_TEST(events.gone == std::vector<worker_id>{first}, per_element());
    const chunk& next = make_chunk([&](std::uint64_t) { indices.push_back(this_worker::index()); });
    workers->submit(events.ready[1], next);
    run_to_end(next);
    BOOST_TEST(indices == (std::vector<std::size_t>{0, 0}), per_element());
}

BOOST_AUTO_TEST_CASE(initializer_and_finalizer_run_in_every_worker)
{
    std::atomic<int> begun = 0, over = 0, right = 0;
    options.initializer = task([&] {
        ++begun;
        right += this_worker::is_worker();
    });
    options.finalizer = task([&] {
        ++over;
        right += this_worker::is_worker();
        throw std::runtime_error("is dropped");
    });
    make_ready(2);
    BOOST_TEST(begun == 2);
    BOOST_TEST(over == 0);
    bool done = false;
    workers->stop([&] { done = true; });
    run_until([&] { return done; });
    BOOST_TEST(over == 2);
    BOOST_TEST(right == 4);
}

BOOST_AUTO_TEST_CASE(an_initializer_may_be_a_coroutine)
{
    std::atomic<int> done = 0;
    options.initializer = task([&]() -> asio::awaitable<void> {
        asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
        co_await timer.async_wait(asio::use_awaitable);
        ++done;
    });
    make_ready(2);
    BOOST_TEST(done == 2);
}

BOOST_AUTO_TEST_CASE(an_initializer_that_fails_is_told_of_with_its_exception)
{
    options.initializer = task([] { throw std::domain_error("boom"); });
    options.finalizer = task([] { BOOST_ERROR("for workers that were ready only"); });
    make(2);
    run_until([&] { return events.causes.size() == 2; });
    BOOST_TEST(events.ready.empty());
    try {
        std::rethrow_exception(events.causes.front());
    }
    catch (const error& e) {
        BOOST_TEST((e.code() == errc::initializer_failed));
        BOOST_CHECK_THROW(std::rethrow_if_nested(e), std::domain_error);
    }
    bool done = false;
    workers->stop([&] { done = true; });
    run_until([&] { return done; });
    BOOST_TEST(events.causes.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_still_at_its_initializer_when_it_should_not_be_is_stuck_and_may_be_ready_yet)
{
    static gate go;
    options.initializer = task([] { go.pass(); });
    make(1);
    workers->end(last_worker, end_mode::late);
    run_until([&] { return !events.causes.empty(); });
    BOOST_TEST(events.stuck == 1u);
    go.open();
    run_until([&] { return !events.ready.empty(); });
    workers->end(last_worker, end_mode::late); // it is in time by now
    bool done = false;
    workers->stop([&] { done = true; });
    run_until([&] { return done; });
    BOOST_TEST(events.causes.size() == 1u);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(events.causes.front()), error,
                          [](const error& e) { return e.code() == errc::worker_start_failed; });
}

BOOST_AUTO_TEST_CASE(a_finalizer_that_takes_too_long_is_left_behind)
{
    static gate go; // the thread may still be at it when the case is over
    options.finalizer = task([] { go.pass(); });
    options.stop_grace = 1ms;
    make_ready(1);
    bool done = false;
    workers->stop([&] { done = true; });
    run_until([&] { return done; });
    BOOST_TEST(workers->abandoned() == 1u);
    go.open();
}

BOOST_AUTO_TEST_CASE(stop_ends_all_workers_and_says_so)
{
    make_ready(2);
    bool done = false;
    workers->stop([&] { done = true; });
    BOOST_TEST(!done);
    run_until([&] { return done; });
    BOOST_TEST(events.gone.size() == 2u);
}

BOOST_AUTO_TEST_CASE(stop_works_on_workers_that_were_never_started)
{
    workers = make_thread_workers(strand, link, options, events);
    bool done = false;
    workers->stop([&] { done = true; });
    BOOST_TEST(!done);
    run_until([&] { return done; });
}

BOOST_AUTO_TEST_CASE(events_tell_of_the_life_of_a_worker)
{
    std::vector<int> seen;
    options.on_event = [&](const pool_event& event) { seen.push_back(event.what); };
    make_ready(1);
    bool done = false;
    workers->stop([&] { done = true; });
    run_until([&] { return done && seen.size() == 3; });
    BOOST_TEST(seen ==
                   (std::vector<int>{pool_event::worker_started, pool_event::worker_ready, pool_event::worker_retired}),
               per_element());
}

BOOST_AUTO_TEST_CASE(the_destructor_waits_for_running_tasks_and_drops_the_others)
{
    make_ready(1);
    gate begun;
    std::atomic<int> ended = 0;
    const chunk& work = make_chunk(
        [&](std::uint64_t) {
            begun.open();
            const auto stop = this_task::stop_token();
            while (!stop.stop_requested())
                std::this_thread::yield();
            ++ended;
        },
        5);
    workers->submit(events.ready[0], work);
    begun.pass();
    workers.reset();
    BOOST_TEST(ended == 1);
    context.restart();
    context.run();
    BOOST_TEST(events.finished.empty()); // nobody is told any more
}

BOOST_AUTO_TEST_CASE(the_workers_may_be_destroyed_by_their_own_task)
{
    make_ready(1);
    gate done;
    // What the task still uses must not go away under it.
    auto* set = workers.release();
    chunk& work = make_chunk([&, kept = std::make_shared<int>(1)](std::uint64_t) {
        delete set;
        BOOST_TEST(*kept == 1);
        done.open();
    });
    const std::weak_ptr<operation> op = work.op;
    set->submit(events.ready[0], work);
    chunks.clear();
    done.pass();
    run_until([&] { return op.expired(); });
    BOOST_TEST(events.ended.empty());
}

BOOST_AUTO_TEST_CASE(halt_works_when_the_context_does_not_run)
{
    make_ready(2);
    gate begun;
    const chunk& work = make_chunk([&](std::uint64_t) {
        begun.open();
        while (!this_task::stop_token().stop_requested())
            std::this_thread::yield();
    });
    workers->submit(events.ready[0], work);
    begun.pass();
    std::thread other([&] { workers->halt(); });
    workers->halt();
    other.join();
    BOOST_TEST(events.ended.empty());
}

BOOST_AUTO_TEST_CASE(a_guest_runs_chunks_inside_a_task)
{
    make_ready(1);
    const worker_id guest = workers->add_guest();
    // Noted in the tasks and checked here: Boost.Test is for one thread.
    std::atomic<std::size_t> inside = 0;
    std::atomic<bool> is_itself_again = false;
    const chunk& inner = make_chunk([&](std::uint64_t) { inside += this_worker::index() == 0; }, 3);
    gate begun;
    std::atomic<bool> over = false;
    const chunk& outer = make_chunk([&](std::uint64_t) {
        const auto* before = current_worker();
        begun.open();
        workers->run_guest(guest, [&] { return over.load(); });
        is_itself_again = current_worker() == before;
    });
    workers->submit(events.ready[0], outer);
    begun.pass();
    workers->submit(guest, inner);
    run_to_end(inner);
    BOOST_TEST(events.ended[inner.id] == guest);
    BOOST_TEST(!has_ended(outer));
    over = true;
    workers->wake_guest(guest);
    run_to_end(outer);
    BOOST_TEST(inside == 3u);
    BOOST_TEST(is_itself_again);
    workers->remove_guest(guest);
}

BOOST_AUTO_TEST_CASE(a_guest_runs_coroutine_tasks)
{
    make_ready(1);
    const worker_id guest = workers->add_guest();
    const chunk& inner = make_coroutine([](std::uint64_t) -> asio::awaitable<void> {
        asio::steady_timer timer(this_worker::executor(), 1ms);
        co_await timer.async_wait(asio::use_awaitable);
    });
    std::atomic<bool> over = false;
    const chunk& outer = make_chunk([&](std::uint64_t) { workers->run_guest(guest, [&] { return over.load(); }); });
    workers->submit(events.ready[0], outer);
    workers->submit(guest, inner);
    run_to_end(inner);
    over = true;
    workers->wake_guest(guest);
    run_to_end(outer);
}

BOOST_AUTO_TEST_SUITE_END()
