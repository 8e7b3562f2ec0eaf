// SPDX-License-Identifier: BSL-1.0
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include <numeric>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

BOOST_AUTO_TEST_SUITE(test_engine)

using fixture = engine_fixture;

operation_traits map_of(std::size_t total, call_options options = {}) { return {.options = options, .total = total}; }

// ---------------------------------------------------------------- the straight way

BOOST_FIXTURE_TEST_CASE(every_task_runs_once, fixture)
{
    with_workers(2);
    auto op = add(1000, map_of(1000));
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 1000u);
    BOOST_TEST(workers.executed.size() == 1000u);
    BOOST_TEST((std::set<std::uint64_t>(workers.executed.begin(), workers.executed.end()).size()) == 1000u);
    BOOST_TEST(!core->active());
}

// Workers are not trusted: what one says twice, or out of turn, counts once.
BOOST_FIXTURE_TEST_CASE(a_task_has_one_outcome, fixture)
{
    with_workers(1);
    auto op = add(10, map_of(10, {.chunk_size = 10}));
    const chunk_id id = first(1).work->id;
    const auto late = std::make_exception_ptr(std::runtime_error("out of turn"));
    finish(1, 2);
    core->task_finished(1, id, 1, nullptr);
    core->task_failed(1, id, 0, late);
    core->task_failed(1, id, 5, late);
    core->task_finished(1, id, 10, nullptr);
    core->task_failed(1, id, 11, late);
    core->decide();
    BOOST_TEST(op->stored.size() == 2u);
    BOOST_TEST(!op->completed);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 10u);
}

// As threads report.
BOOST_FIXTURE_TEST_CASE(outcomes_of_neighbours_come_together, fixture)
{
    with_workers(1);
    auto op = add(10, map_of(10, {.chunk_size = 10}));
    const chunk_id id = first(1).work->id;
    core->tasks_finished(1, id, 0, 4, nullptr);
    BOOST_TEST(op->stored.size() == 4u);
    BOOST_TEST(core->stats().running == 6u);
    core->tasks_finished(1, id, 3, 2, nullptr); // told twice: nobody wants it
    BOOST_TEST(op->stored.size() == 5u);
    core->task_failed(1, id, 5, std::make_exception_ptr(std::runtime_error("boom")));
    BOOST_TEST(core->stats().running == 0u); // the others were taken back
    core->chunk_ended(1, id, 1ms);
    core->decide();
    BOOST_TEST(op->error_text() == "boom");
    BOOST_TEST(core->stats().done == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_result_among_others_that_cannot_be_read_fails_alone, fixture)
{
    with_workers(1);
    auto op = add(10, {.options = {.chunk_size = 10}, .stops_at_failure = false, .total = 10});
    op->unreadable = {3, 9};
    const chunk_id id = first(1).work->id;
    core->tasks_finished(1, id, 0, 10, nullptr);
    core->chunk_ended(1, id, 1ms);
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 8u);
    BOOST_TEST(op->failures.size() == 2u);
    BOOST_TEST(op->failures.at(9) == "unreadable");
    BOOST_TEST(core->stats().failed == 2u);
}

BOOST_FIXTURE_TEST_CASE(short_chunks_for_threads_travel_together, fixture)
{
    workers.able.local = true;
    reset({.nodes = 1});
    with_workers(1);
    auto op = add(1000, map_of(1000, {.chunk_size = 2}));
    BOOST_TEST(first(1).work->count == 2u);
    finish(1, no_position, 1us);
    finish(1, no_position, 1us);
    BOOST_TEST(first(1).work->count > 2u);
    run();
    BOOST_TEST(workers.executed.size() == 1000u);
}

BOOST_FIXTURE_TEST_CASE(what_was_handed_out_at_first_is_taken_back_when_another_operation_comes, fixture)
{
    workers.able.local = true;
    reset({.nodes = 2});
    with_workers(2);
    auto op = add(8000, map_of(8000));
    BOOST_TEST(first(1).work->count > 100u);
    begin(1);
    begin(2);
    auto other = add(1, map_of(1));
    BOOST_TEST(first(1).keep == 1u); // its turn comes behind a few tasks
    for (int i = 0; i < 8 && !other->completed; ++i) {
        finish(1);
        finish(2);
    }
    BOOST_TEST(other->completed);
    BOOST_TEST(workers.executed.size() < 100u);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(workers.executed.size() == 8001u);
}

BOOST_FIXTURE_TEST_CASE(an_empty_range_is_over_at_once, fixture)
{
    with_workers(1);
    auto op = add(0, map_of(0));
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
}

BOOST_FIXTURE_TEST_CASE(operations_that_end_together_complete_in_order, fixture)
{
    with_workers(1);
    std::vector<const fake_operation*> order, expected;
    std::vector<std::shared_ptr<fake_operation>> ops;
    for (int i = 0; i < 3; ++i) {
        ops.push_back(std::make_shared<fake_operation>(0, map_of(0)));
        ops.back()->finish_line = &order;
        expected.push_back(ops.back().get());
        core->add(ops.back());
    }
    core->decide();
    BOOST_TEST((order == expected));
}

BOOST_FIXTURE_TEST_CASE(operations_wait_for_workers, fixture)
{
    auto op = add(1, map_of(1));
    BOOST_TEST(op->pulled == 0u);
    BOOST_TEST(core->active());
    with_workers(1);
    BOOST_TEST(op->pulled == 1u);
    run();
    BOOST_TEST(op->completed);
}

BOOST_FIXTURE_TEST_CASE(idle_workers_come_before_second_chunks, fixture)
{
    with_workers(2);
    add(2, map_of(2, {.chunk_size = 1}));
    BOOST_TEST(held(1) == 1u);
    BOOST_TEST(held(2) == 1u);
    add(1, map_of(1));
    add(1, map_of(1));
    BOOST_TEST(held(1) == 2u);
    BOOST_TEST(held(2) == 2u);
    add(1, map_of(1));
    BOOST_TEST(held(1) + held(2) == 4u); // a third one waits here: how long the tasks take is not known
}

BOOST_FIXTURE_TEST_CASE(a_chunk_has_the_size_that_was_asked_for, fixture)
{
    with_workers(1);
    add(100, map_of(100, {.chunk_size = 30}));
    BOOST_TEST(first(1).work->count == 30u);
}

BOOST_FIXTURE_TEST_CASE(operations_of_one_priority_take_turns, fixture)
{
    with_workers(1);
    auto big = add(1000, map_of(1000, {.chunk_size = 10}));
    auto small = add(1, map_of(1));
    for (int i = 0; i < 4 && !small->completed; ++i)
        finish(1);
    BOOST_TEST(small->completed);
    BOOST_TEST(!big->completed);
}

BOOST_FIXTURE_TEST_CASE(higher_priority_goes_before_what_is_not_begun, fixture)
{
    with_workers(1);
    add(1000, map_of(1000, {.chunk_size = 10}));
    begin(1, 3);
    BOOST_TEST(held(1) == 2u);
    auto urgent = add(1, map_of(1, {.prio = priority::high}));
    // The second chunk and the rest of the first were taken back.
    finish(1);    // the three that were begun
    finish(1, 0); // the empty chunk
    BOOST_TEST(first(1).work->op == urgent);
    BOOST_TEST(workers.executed.size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(what_was_taken_back_goes_before_what_had_no_turn, fixture)
{
    with_workers(1);
    std::vector<std::shared_ptr<fake_operation>> calls;
    for (int i = 0; i < 4; ++i)
        calls.push_back(add(1, map_of(1)));
    begin(1);
    BOOST_TEST(held(1) == 2u);
    auto urgent = add(1, map_of(1, {.prio = priority::high})); // takes the second one's place
    finish(1);
    finish(1, 0); // the empty chunk
    BOOST_TEST(first(1).work->op == urgent);
    finish(1);
    BOOST_TEST(first(1).work->op == calls[1]);
    finish(1);
    BOOST_TEST(first(1).work->op == calls[2]);
}

BOOST_FIXTURE_TEST_CASE(low_priority_waits, fixture)
{
    with_workers(1);
    auto low = add(1, map_of(1, {.prio = priority::low}));
    (void)low;
    auto other = std::make_shared<fake_operation>(1, map_of(1, {.prio = priority::low}));
    core->add(other);
    auto normal = std::make_shared<fake_operation>(1, map_of(1));
    core->add(normal);
    core->decide();
    finish(1);
    BOOST_TEST(first(1).work->op == normal);
}

// ---------------------------------------------------------------- laziness

BOOST_FIXTURE_TEST_CASE(a_stream_is_fed_by_demand, fixture)
{
    with_workers(2);
    auto op =
        std::make_shared<fake_operation>(no_position - 1, operation_traits{.stream = true, .stops_at_failure = false});
    op->window = 8;
    core->add(op);
    core->decide();
    run();
    BOOST_TEST(op->pulled == 8u);
    BOOST_TEST(!core->active()); // waits for its reader only
    op->consumed = 3;
    core->feed(*op);
    core->decide();
    BOOST_TEST(core->active());
    run();
    BOOST_TEST(op->pulled == 11u);
    BOOST_TEST(!op->completed);
    core->abandon(*op);
    core->decide();
    BOOST_TEST(!core->knows(*op));
}

BOOST_FIXTURE_TEST_CASE(on_threads_an_abandoned_stream_ends_with_its_tasks, fixture)
{
    workers.able.can_kill = false;
    with_workers(1);
    auto op =
        std::make_shared<fake_operation>(no_position - 1, operation_traits{.stream = true, .stops_at_failure = false});
    op->window = 8;
    core->add(op);
    core->decide();
    begin(1);
    core->abandon(*op);
    core->decide();
    BOOST_TEST(!op->completed);
    BOOST_TEST(core->active());
    BOOST_TEST(workers.workers[1].front().cancelled); // it was asked to stop
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.empty());
    BOOST_TEST(workers.executed.size() == 1u);
    BOOST_TEST(!core->active());
}

// ---------------------------------------------------------------- what nobody wants

/// A stream of single tasks that a worker runs, and that is dropped.
struct dropped_stream : fixture
{
    std::shared_ptr<fake_operation> op;

    void drop(call_options options, bool coroutine = false)
    {
        options.chunk_size = 1;
        with_workers(1);
        op = std::make_shared<fake_operation>(
            no_position - 1,
            operation_traits{.options = options, .coroutine = coroutine, .stream = true, .stops_at_failure = false});
        op->window = 1;
        workers.tells_what_runs = true;
        core->add(op);
        core->decide();
        begin(1);
        first(1).begun_at = now;
        core->abandon(*op);
        core->decide();
        BOOST_TEST(op->completed);
        BOOST_TEST(op->pulled == 1u);
    }

    void pass(duration d)
    {
        now += d;
        core->tick();
        core->decide();
    }
};

BOOST_FIXTURE_TEST_CASE(a_dropped_stream_is_cancelled_as_by_terminal, dropped_stream)
{
    drop({});
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(core->active()); // or nobody would look at the clock
    BOOST_TEST((core->next_wake() == now + 200ms));
    pass(200ms);
    BOOST_TEST(workers.replaced.size() == 1u);
    die(1, true);
    BOOST_TEST(!core->active());
    BOOST_TEST(core->stats().cancelled == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_task_of_a_dropped_stream_that_stops_keeps_its_worker, dropped_stream)
{
    drop({});
    finish(1);
    BOOST_TEST(!core->active());
    auto other = add(1, map_of(1));
    pass(1s);
    BOOST_TEST(workers.replaced.empty());
    run();
    BOOST_TEST(other->completed);
}

BOOST_FIXTURE_TEST_CASE(coroutines_of_a_dropped_stream_are_cancelled_and_then_abandoned, dropped_stream)
{
    drop({}, true);
    BOOST_TEST(first(1).cancelled);
    pass(200ms);
    BOOST_TEST(workers.abandoned.size() == 1u);
    BOOST_TEST(workers.replaced.empty());
    BOOST_TEST(!core->active());
}

BOOST_FIXTURE_TEST_CASE(the_limit_caps_what_a_dropped_stream_does_to_its_tasks, dropped_stream)
{
    drop({.cancel_limit = asio::cancellation_type::partial});
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(!core->active());
    BOOST_TEST((core->next_wake() == time_point::max()));
    reset({.nodes = 2, .child_concurrency = 4});
    workers = {};
    for (const auto limit : {asio::cancellation_type::total, asio::cancellation_type::none}) {
        drop({.cancel_limit = limit});
        BOOST_TEST(!first(1).cancelled);
        BOOST_TEST(!core->active());
        auto other = add(1, map_of(1));
        BOOST_TEST(held(1) == 1u); // no call waits behind what nobody wants
        core->worker_ready(2);
        core->decide();
        BOOST_TEST(held(2) == 1u);
        reset({.nodes = 2, .child_concurrency = 4});
        workers = {};
    }
}

BOOST_FIXTURE_TEST_CASE(a_timeout_outlives_its_operation, dropped_stream)
{
    for (const auto limit :
         {asio::cancellation_type::partial, asio::cancellation_type::total, asio::cancellation_type::none}) {
        drop({.timeout = 1s, .cancel_limit = limit});
        BOOST_TEST(core->active());
        BOOST_TEST((core->next_wake() == now + 1s));
        pass(1s);
        BOOST_TEST(first(1).cancelled);
        BOOST_TEST(workers.replaced.empty());
        pass(200ms);
        BOOST_TEST(workers.replaced.size() == 1u);
        die(1, true);
        BOOST_TEST(!core->active());
        BOOST_TEST(core->stats().cancelled == 1u);
        BOOST_TEST(core->stats().timed_out == 0u); // no operation had a task that timed out
        reset({.nodes = 2, .child_concurrency = 4});
        workers = {};
    }
}

BOOST_FIXTURE_TEST_CASE(a_timeout_holds_after_a_partial_cancellation, fixture)
{
    for (const bool coroutine : {false, true}) {
        workers.tells_what_runs = true;
        with_workers(1);
        auto op = add(1, {.options = {.timeout = 1s}, .coroutine = coroutine, .total = 1});
        begin(1);
        first(1).begun_at = now;
        core->cancel(*op, asio::cancellation_type::partial);
        core->decide();
        BOOST_TEST(op->completed);
        for (int i = 0; i < 2; ++i) {
            BOOST_TEST(core->active());
            BOOST_TEST((workers.replaced.empty() && workers.abandoned.empty()));
            now = core->next_wake();
            core->tick();
            core->decide();
        }
        BOOST_TEST(workers.replaced.size() == (coroutine ? 0u : 1u));
        BOOST_TEST(workers.abandoned.size() == (coroutine ? 1u : 0u));
        reset({.nodes = 2, .child_concurrency = 4});
        workers = {};
    }
}

// A worker claims some tasks ahead, which cannot be taken back. Each of them has its own time.
BOOST_FIXTURE_TEST_CASE(each_task_that_nobody_waits_for_has_its_own_timeout, fixture)
{
    workers.tells_what_runs = true;
    workers.claims = 3;
    with_workers(1);
    auto op = add(3, map_of(3, {.chunk_size = 3, .timeout = 1s}));
    begin(1);
    first(1).begun_at = now;
    core->cancel(*op, asio::cancellation_type::partial);
    core->decide();
    now += 1s;
    core->tick();
    core->decide();
    now += 100ms; // late, but within the grace
    finish(1, 1);
    begin(1);
    first(1).begun_at = now;
    now += 999ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.empty());
    BOOST_TEST((core->next_wake() == now + 1ms));
    now += 1ms;
    core->tick();
    core->decide();
    BOOST_TEST((core->next_wake() == now + 200ms));
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(on_threads_what_nobody_wants_is_asked_to_stop_when_it_runs_out_of_time, fixture)
{
    workers.able.can_kill = false;
    workers.tells_what_runs = true;
    with_workers(1);
    auto op = std::make_shared<fake_operation>(
        1, operation_traits{.options = {.timeout = 1s, .cancel_limit = asio::cancellation_type::none},
                            .stream = true,
                            .stops_at_failure = false});
    core->add(op);
    core->decide();
    begin(1);
    first(1).begun_at = now;
    core->abandon(*op);
    core->decide();
    BOOST_TEST(!op->completed); // it uses what is the caller's
    BOOST_TEST(!first(1).cancelled);
    now += 1s;
    core->tick();
    core->decide();
    BOOST_TEST(first(1).cancelled);
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->failures.empty());
}

// While the loop was away the worker may have said that it is done.
BOOST_FIXTURE_TEST_CASE(a_loop_that_was_late_hears_a_worker_before_it_kills_it, dropped_stream)
{
    drop({});
    pass(3s);
    BOOST_TEST(workers.replaced.empty());
    BOOST_TEST((core->next_wake() > now));
    finish(1);
    pass(1s);
    BOOST_TEST(workers.replaced.empty());
}

BOOST_FIXTURE_TEST_CASE(a_loop_that_is_always_late_kills_all_the_same, dropped_stream)
{
    drop({});
    pass(3s);
    pass(3s);
    BOOST_TEST(workers.replaced.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(streams_of_known_length_run_to_their_end_when_the_pool_is_joined, fixture)
{
    with_workers(2);
    auto known =
        std::make_shared<fake_operation>(50, operation_traits{.stream = true, .stops_at_failure = false, .total = 50});
    auto endless =
        std::make_shared<fake_operation>(no_position - 1, operation_traits{.stream = true, .stops_at_failure = false});
    known->window = endless->window = 8;
    core->add(known);
    core->add(endless);
    core->decide();
    run();
    BOOST_TEST(core->idle_but_for_streams());
    core->unbind_streams();
    core->decide();
    BOOST_TEST(!core->idle_but_for_streams());
    run();
    BOOST_TEST(known->completed);
    BOOST_TEST(known->stored.size() == 50u);
    BOOST_TEST(core->idle_but_for_streams());
    core->end_streams([] { return make_error(errc::pool_closed); });
    core->decide();
    BOOST_TEST(endless->completed);
    BOOST_TEST(endless->pulled == 8u);
}

BOOST_FIXTURE_TEST_CASE(a_range_is_pulled_only_when_a_worker_can_take_it, fixture)
{
    with_workers(2);
    auto op = add(1'000'000, map_of(1'000'000));
    BOOST_TEST(op->pulled <= 4u);
    auto other = add(1'000'000, map_of(1'000'000, {.prio = priority::low}));
    BOOST_TEST(other->pulled == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_range_that_throws_ends_the_operation, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(10, operation_traits{});
    op->throws_at = 1;
    core->add(op);
    core->decide();
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "range");
}

BOOST_FIXTURE_TEST_CASE(a_stream_delivers_what_came_before_its_range_threw, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(10, operation_traits{.stream = true, .stops_at_failure = false});
    op->throws_at = 5;
    core->add(op);
    core->decide();
    run();
    BOOST_TEST(op->stored.size() == 5u);
    BOOST_TEST(op->error_text() == "range");
}

BOOST_FIXTURE_TEST_CASE(an_element_that_cannot_be_sent_is_a_failed_task, fixture)
{
    with_workers(2);
    auto op = std::make_shared<fake_operation>(6, operation_traits{.stops_at_failure = false});
    op->refuses = {0, 3, 5};
    core->add(op);
    core->decide();
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 3u);
    BOOST_TEST(op->failures.size() == 3u);
    BOOST_TEST(op->failures.contains(3));
}

// ---------------------------------------------------------------- failures

BOOST_FIXTURE_TEST_CASE(the_first_failure_drops_what_has_not_begun, fixture)
{
    with_workers(2);
    auto op = add(100, map_of(100, {.chunk_size = 10}));
    begin(1, 3); // 0 1 2
    begin(2, 1); // 10
    fail(2, "ten");
    BOOST_TEST(!op->completed); // 0 1 2 still run
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "ten");
    BOOST_TEST(workers.executed.size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(the_failure_with_the_lowest_index_is_told, fixture)
{
    with_workers(2);
    auto op = add(100, map_of(100, {.chunk_size = 10}));
    begin(1, 2);
    begin(2, 1);
    fail(2, "ten");
    finish(1, 1);
    fail(1, "one");
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "one");
}

BOOST_FIXTURE_TEST_CASE(try_map_goes_on_after_failures, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(5, operation_traits{.stops_at_failure = false});
    core->add(op);
    core->decide();
    fail(1, "zero");
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 4u);
    BOOST_TEST(op->failures[0] == "zero");
}

BOOST_FIXTURE_TEST_CASE(a_progress_callback_that_throws_fails_the_operation, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(5, operation_traits{.counts_progress = true});
    op->progress_throws = true;
    core->add(op);
    core->decide();
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "progress");
}

// ---------------------------------------------------------------- deaths

BOOST_FIXTURE_TEST_CASE(a_death_fails_only_the_task_that_ran, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(
        100, operation_traits{.options = {.chunk_size = 100}, .stops_at_failure = false});
    core->add(op);
    core->decide();
    finish(1, 50);
    begin(1);
    die(1);
    BOOST_TEST(op->failures.size() == 1u);
    BOOST_TEST(op->failures[50] == "died in 50");
    core->worker_ready(2);
    core->decide();
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 99u);
    BOOST_TEST(workers.executed.size() == 100u); // each at most once
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_dies_before_it_began_anything_loses_nothing, fixture)
{
    with_workers(2);
    auto op = add(50, map_of(50, {.chunk_size = 10}));
    die(1);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 50u);
}

BOOST_FIXTURE_TEST_CASE(what_a_killed_worker_had_not_begun_is_dropped_with_its_operation, fixture)
{
    with_workers(2);
    auto victim = add(1, map_of(1));
    auto op = add(2, map_of(2, {.chunk_size = 1})); // one task beside the victim's, one behind it
    workers.able.can_kill = true;
    begin(1);
    begin(2);
    core->cancel(*victim, asio::cancellation_type::terminal);
    core->decide();
    now += 200ms;
    core->tick(); // worker 1 is being killed
    core->decide();
    fail(2, "failed");
    die(1, true);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "failed");
    BOOST_TEST(!core->active());
}

BOOST_FIXTURE_TEST_CASE(retries_run_a_task_again_and_end_in_quarantine, fixture)
{
    with_workers(3);
    auto op =
        std::make_shared<fake_operation>(1, operation_traits{.options = {.retries = 1}, .stops_at_failure = true});
    core->add(op);
    core->decide();
    begin(1);
    die(1);
    BOOST_TEST(!op->completed);
    BOOST_TEST(held(2) == 1u);
    begin(2);
    die(2);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == error_category().message(static_cast<int>(errc::task_quarantined)));
    BOOST_TEST(held(3) == 0u);
}

struct coroutines : fixture
{
    std::shared_ptr<fake_operation> add_tasks(std::size_t n, std::size_t retries)
    {
        return add(n, {.options = {.retries = retries}, .coroutine = true, .stops_at_failure = false});
    }
    void with_worker(worker_id worker)
    {
        core->worker_ready(worker);
        core->decide();
    }
    void begin_all(worker_id worker)
    {
        for (auto& h : workers.workers[worker])
            h.begun = 1;
    }
};

BOOST_FIXTURE_TEST_CASE(of_coroutines_only_the_culprit_uses_up_a_run, coroutines)
{
    with_workers(1);
    auto op = add_tasks(3, 1);
    begin_all(1);
    with_worker(2);
    die_in_coroutine(1, 1);
    BOOST_TEST(op->failures.empty());
    BOOST_TEST(held(2) == 3u);
    begin_all(2);
    with_worker(3);
    die_in_coroutine(2, 1);
    BOOST_TEST(op->failures.size() == 1u);
    BOOST_TEST(op->failures[1] == error_category().message(static_cast<int>(errc::task_quarantined)));
    BOOST_TEST(held(3) == 2u);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(without_retries_bystanders_fail_as_such, coroutines)
{
    with_workers(1);
    auto op = add_tasks(3, 0);
    begin_all(1);
    die_in_coroutine(1, 1);
    BOOST_TEST(op->failures[0] == "died beside 0");
    BOOST_TEST(op->failures[1] == "died in 1");
    BOOST_TEST(op->failures[2] == "died beside 2");
}

BOOST_FIXTURE_TEST_CASE(with_a_culprit_each_time_a_bystander_runs_as_often_as_need_be, coroutines)
{
    with_workers(1);
    auto bystander = add_tasks(1, 1);
    for (worker_id worker = 1; worker <= 12; ++worker) {
        auto killer = add(2, {.options = {}, .coroutine = true, .stops_at_failure = false});
        begin_all(worker);
        with_worker(worker + 1);
        die_in_coroutine(worker, 1);
        BOOST_TEST(!bystander->completed);
    }
    run();
    BOOST_TEST(bystander->stored.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(without_a_culprit_runs_for_nothing_have_an_end, coroutines)
{
    with_workers(1);
    auto op = add_tasks(2, 3);
    worker_id worker = 1;
    for (; !op->completed && worker <= 30; ++worker) {
        begin_all(worker);
        with_worker(worker + 1);
        die_in_coroutine(worker, 99);
    }
    BOOST_TEST(worker == 10u);
    BOOST_TEST(op->failures[0] == "died beside 0"); // and is not quarantined
}

BOOST_FIXTURE_TEST_CASE(the_task_of_the_last_death_is_told_of_the_death, fixture)
{
    with_workers(1);
    auto op = add(1, map_of(1));
    auto other = add(1, map_of(1));
    begin(1);
    worker_loss loss;
    loss.begun.push_back({first(1).work->id, 0});
    loss.explain = [](std::uint64_t) { return std::make_exception_ptr(std::runtime_error("died")); };
    core->worker_gone(1, loss);
    core->give_up([] { return std::make_exception_ptr(std::runtime_error("broken")); });
    core->decide();
    BOOST_TEST(op->error_text() == "died");
    BOOST_TEST(other->error_text() == "broken");
}

BOOST_FIXTURE_TEST_CASE(a_broken_pool_answers_all_and_takes_no_more, fixture)
{
    auto op = add(5, map_of(5));
    core->give_up([] { return std::make_exception_ptr(std::runtime_error("broken")); });
    BOOST_TEST(op->error_text() == "broken");
    auto later = add(5, map_of(5));
    BOOST_TEST(later->error_text() == "broken");
}

// ---------------------------------------------------------------- taking back

// A worker that was stopped while it was idle holds a task that it never begins.
BOOST_FIXTURE_TEST_CASE(an_idle_worker_gets_the_only_task_of_one_that_does_not_begin_it, fixture)
{
    with_workers(2);
    auto op = add(2, {.options = {.chunk_size = 1}});
    BOOST_TEST_REQUIRE((held(1) == 1u && held(2) == 1u));
    finish(2);
    BOOST_TEST(held(2) == 0u); // most likely the other one runs it
    BOOST_TEST_REQUIRE((core->next_wake() != time_point::max()));
    now = core->next_wake();
    core->tick();
    core->decide();
    BOOST_TEST_REQUIRE(held(2) == 1u);
    finish(2);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_task_that_runs_for_long_is_looked_for_once, fixture)
{
    with_workers(2);
    auto op = add(2, {.options = {.chunk_size = 1}});
    begin(1);
    finish(2);
    now = core->next_wake();
    core->tick();
    core->decide();
    BOOST_TEST(held(2) == 0u);
    BOOST_TEST((core->next_wake() == time_point::max()));
    finish(1);
    BOOST_TEST(op->completed);
}

BOOST_FIXTURE_TEST_CASE(an_idle_worker_gets_what_another_has_not_begun, fixture)
{
    with_workers(1);
    auto op = add(100, map_of(100, {.chunk_size = 100}));
    begin(1, 1);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(held(2) == 1u);
    BOOST_TEST(first(1).keep == 1u);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 100u);
    BOOST_TEST(workers.executed.size() == 100u);
}

BOOST_FIXTURE_TEST_CASE(a_running_task_is_not_taken_back, fixture)
{
    with_workers(1);
    add(1, map_of(1));
    begin(1);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(held(2) == 0u);
    BOOST_TEST(held(1) == 1u);
}

// ---------------------------------------------------------------- cancellation

BOOST_FIXTURE_TEST_CASE(total_cancellation_works_while_nothing_has_begun, fixture)
{
    with_workers(1);
    auto op = add(10, map_of(10, {.chunk_size = 5})); // sent, not begun
    core->cancel(*op, asio::cancellation_type::total);
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() ==
               boost::asio::error::make_error_code(boost::asio::error::operation_aborted).message());
    BOOST_TEST(workers.executed.empty());
}

BOOST_FIXTURE_TEST_CASE(total_cancellation_has_no_effect_once_a_task_has_begun, fixture)
{
    with_workers(1);
    auto op = add(10, map_of(10, {.chunk_size = 5}));
    begin(1);
    core->cancel(*op, asio::cancellation_type::total);
    core->decide();
    BOOST_TEST(!op->completed);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 10u);
    BOOST_TEST(workers.executed.size() == 10u);
}

BOOST_FIXTURE_TEST_CASE(terminal_cancellation_answers_at_once_and_kills_after_the_grace, fixture)
{
    with_workers(1);
    auto op = add(10, map_of(10, {.chunk_size = 5}));
    begin(1);
    auto other = add(1, map_of(1));
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(held(1) >= 1u);
    BOOST_TEST(!other->completed);
    BOOST_TEST(workers.replaced.empty());
    BOOST_TEST(core->active()); // somebody has to look after the worker
    BOOST_TEST((core->next_wake() == now + 200ms));
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.size() == 1u);
    die(1, true);
    core->worker_ready(2);
    core->decide();
    run();
    BOOST_TEST(other->completed);
    BOOST_TEST(!other->error);
}

BOOST_FIXTURE_TEST_CASE(all_is_taken_back_before_a_task_is_asked_to_stop, engine_fixture)
{
    workers.able.can_kill = false; // threads
    with_workers(1);
    const auto runs = add_call(1);
    const auto waits = add_call(1);
    BOOST_TEST_REQUIRE(held(1) == 2u);
    begin(1);
    int asked = 0;
    // A task that ends when it is asked to must find nothing behind it.
    workers.on_cancel = [&] {
        ++asked;
        BOOST_TEST(workers.workers[1].back().work->op == waits);
        BOOST_TEST(workers.workers[1].back().keep == 0u);
    };
    core->stop_all([] { return std::make_exception_ptr(std::runtime_error("terminated")); });
    BOOST_TEST(asked == 1);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_does_not_put_a_cancelled_chunk_away_is_killed, fixture)
{
    with_workers(1);
    auto op = add(1, map_of(1)); // sent to a worker that is stopped, say: never begun
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(op->completed);
    auto other = add(1, map_of(1));
    BOOST_TEST(held(1) == 1u);
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.size() == 1u);
    die(1, true);
    core->worker_ready(2);
    core->decide();
    run();
    BOOST_TEST(other->completed);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_worker_gets_no_work_before_it_is_clean, fixture)
{
    with_workers(1);
    auto op = add(1, map_of(1));
    begin(1);
    core->cancel(*op, asio::cancellation_type::partial);
    core->decide();
    auto other = add(1, map_of(1));
    BOOST_TEST(held(1) == 1u);
    BOOST_TEST((core->next_wake() == time_point::max())); // partial never kills
    finish(1);
    BOOST_TEST(held(1) == 1u);
    BOOST_TEST(first(1).work->op == other);
    BOOST_TEST(op->stored.empty());
}

BOOST_FIXTURE_TEST_CASE(threads_are_waited_for, fixture)
{
    workers.able.can_kill = false;
    with_workers(1);
    auto op = add(10, map_of(10, {.chunk_size = 5}));
    begin(1);
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(!op->completed);
    BOOST_TEST(first(1).cancelled);
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() ==
               boost::asio::error::make_error_code(boost::asio::error::operation_aborted).message());
}

BOOST_FIXTURE_TEST_CASE(the_limit_caps_what_a_request_may_do, fixture)
{
    with_workers(2);
    auto partial = add(1, map_of(1, {.cancel_limit = asio::cancellation_type::partial}));
    auto none = add(1, map_of(1, {.cancel_limit = asio::cancellation_type::none}));
    begin(1);
    begin(2);
    core->cancel(*partial, asio::cancellation_type::terminal);
    core->cancel(*none, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(partial->completed);
    BOOST_TEST((core->next_wake() == time_point::max()));
    BOOST_TEST(!none->completed);
}

BOOST_FIXTURE_TEST_CASE(a_coroutine_that_ignores_cancellation_is_abandoned, fixture)
{
    with_workers(1);
    auto op = add(2, {.coroutine = true});
    BOOST_TEST(held(1) == 2u);
    for (auto& h : workers.workers[1])
        h.begun = 1;
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(op->completed);
    auto other = add(2, {.coroutine = true});
    BOOST_TEST(held(1) == 4u); // the worker goes on with others
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.abandoned.size() == 2u);
    BOOST_TEST(workers.replaced.empty());
    BOOST_TEST(held(1) == 2u);
}

// ---------------------------------------------------------------- the first failure ends it

BOOST_FIXTURE_TEST_CASE(a_map_can_complete_with_the_first_failure_that_arrives, fixture)
{
    with_workers(2);
    auto op = add(10, map_of(10, {.chunk_size = 1, .fail_fast = true, .cancel_limit = asio::cancellation_type::none}));
    begin(1);
    begin(2);
    fail(2, "boom");
    end_if_done(2); // the chunk behind it, of which all was taken back
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "boom");
    BOOST_TEST(first(1).cancelled); // a failure is no request: nothing caps it
    BOOST_TEST((core->next_wake() == now + 200ms));
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.size() == 1u);
    BOOST_TEST(core->stats().failed == 1u);
}

BOOST_FIXTURE_TEST_CASE(of_failures_that_arrive_together_the_first_one_counts, fixture)
{
    with_workers(1);
    operation_traits traits = map_of(3, {.chunk_size = 3, .fail_fast = true});
    traits.counts_progress = true;
    auto op = add(3, traits);
    begin(1, 3);
    const chunk_id id = first(1).work->id;
    core->task_failed(1, id, 0, std::make_exception_ptr(std::runtime_error("zero")));
    core->task_failed(1, id, 1, std::make_exception_ptr(std::runtime_error("one")));
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "zero");
    BOOST_TEST(op->reports == 1u); // progress is told of it before
}

BOOST_FIXTURE_TEST_CASE(on_threads_the_first_failure_waits_for_the_tasks_that_run, fixture)
{
    workers.able.can_kill = false;
    with_workers(2);
    auto op = add(10, map_of(10, {.chunk_size = 1, .fail_fast = true}));
    begin(1);
    begin(2);
    fail(2, "boom");
    BOOST_TEST(!op->completed);
    BOOST_TEST(first(1).cancelled);
    fail(1, "a lower index, but later");
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "boom");
}

BOOST_FIXTURE_TEST_CASE(a_death_or_a_timeout_is_a_first_failure_too, fixture)
{
    with_workers(2);
    auto op = add(2, map_of(2, {.chunk_size = 1, .fail_fast = true}));
    begin(1);
    begin(2);
    die(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "died in 0");
    BOOST_TEST(first(2).cancelled);
    finish(2);

    core->worker_ready(3);
    workers.tells_what_runs = true;
    auto late = add(2, map_of(2, {.chunk_size = 1, .timeout = 1s, .fail_fast = true}));
    begin(2);
    begin(3);
    first(2).begun_at = now;
    first(3).begun_at = now + 500ms;
    now += 1s;
    core->tick();
    core->decide();
    BOOST_TEST(late->completed);
    BOOST_TEST((first(2).cancelled && first(3).cancelled));
}

BOOST_FIXTURE_TEST_CASE(failing_fast_is_nothing_to_operations_that_do_not_end_at_a_failure, fixture)
{
    with_workers(2);
    auto op = add(4, {.options = {.chunk_size = 1, .fail_fast = true}, .stops_at_failure = false, .total = 4});
    begin(1);
    begin(2);
    fail(1, "boom");
    BOOST_TEST(!first(2).cancelled);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 3u);
}

// ---------------------------------------------------------------- time

BOOST_FIXTURE_TEST_CASE(a_deadline_ends_the_operation_also_in_the_queue, fixture)
{
    auto op = add(10, map_of(10, {.deadline = 5s}));
    BOOST_TEST((core->next_wake() == now + 5s));
    now += 5s;
    core->tick();
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == error_category().message(static_cast<int>(errc::deadline_exceeded)));
    BOOST_TEST(op->pulled == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_timeout_counts_from_the_start_of_the_task, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(
        10, operation_traits{.options = {.chunk_size = 10, .timeout = 1s}, .stops_at_failure = false});
    core->add(op);
    core->decide();
    finish(1, 3, 0ms);
    now += 900ms;
    begin(1);
    const auto begun = now;
    workers.runs = {.position = 3, .begun = begun};
    now += 100ms;
    core->tick(); // the chunk is a second old, the task is not
    core->decide();
    BOOST_TEST(op->failures.empty());
    BOOST_TEST((core->next_wake() == begun + 1s));
    now = begun + 1s;
    core->tick();
    core->decide();
    BOOST_TEST(op->failures.size() == 1u);
    BOOST_TEST(op->failures[3] == error_category().message(static_cast<int>(errc::task_timed_out)));
    BOOST_TEST(first(1).cancelled);
    // It does not stop: killed after the grace, and the others go elsewhere.
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.size() == 1u);
    workers.runs.reset();
    die(1, true);
    core->worker_ready(2);
    core->decide();
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 9u);
    BOOST_TEST(op->failures.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_late_task_that_returns_in_the_grace_saves_its_worker, fixture)
{
    with_workers(1);
    auto op = std::make_shared<fake_operation>(
        2, operation_traits{.options = {.chunk_size = 2, .timeout = 1s}, .stops_at_failure = false});
    core->add(op);
    core->decide();
    begin(1);
    workers.runs = {.position = 0, .begun = now};
    now += 1s;
    core->tick();
    core->decide();
    BOOST_TEST(op->failures.size() == 1u);
    workers.runs.reset();
    finish(1);
    BOOST_TEST(held(1) == 1u); // the second task, in a chunk of its own
    now += 1s;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.empty());
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(on_threads_a_late_task_fails_when_it_returns, fixture)
{
    workers.able.can_kill = false;
    with_workers(1);
    auto op = std::make_shared<fake_operation>(1, operation_traits{.options = {.timeout = 1s}});
    core->add(op);
    core->decide();
    begin(1);
    workers.runs = {.position = 0, .begun = now};
    now += 1s;
    core->tick();
    core->decide();
    BOOST_TEST(!op->completed);
    BOOST_TEST(first(1).cancelled);
    finish(1);
    BOOST_TEST(op->error_text() == error_category().message(static_cast<int>(errc::task_timed_out)));
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(op->error), error, [](const error& e) {
        return std::string(e.what()).starts_with(
            "task 0 (call_options::timeout): the task ran longer than its timeout");
    });
}

BOOST_FIXTURE_TEST_CASE(on_threads_a_stopped_stream_drops_what_its_running_tasks_give, fixture)
{
    workers.able.can_kill = false;
    with_workers(1);
    operation_traits traits{.options = {.deadline = 1s}};
    traits.stream = true;
    traits.stops_at_failure = false;
    auto op = add(1, traits);
    begin(1);
    now += 1s;
    core->tick();
    core->decide();
    BOOST_TEST(!op->completed);
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.empty());
    BOOST_TEST(op->error_text() == error_category().message(static_cast<int>(errc::deadline_exceeded)));
}

// ---------------------------------------------------------------- bounds

BOOST_AUTO_TEST_CASE(more_calls_than_max_pending_are_refused)
{
    engine_fixture f({.nodes = 1, .max_pending = 2});
    f.with_workers(1);
    auto running = f.add(1, map_of(1));
    f.begin(1);
    auto a = f.add(1, map_of(1));
    auto b = f.add(1, map_of(1));
    auto c = f.add(1, map_of(1));
    BOOST_TEST(!a->completed);
    BOOST_TEST(!b->completed);
    BOOST_TEST(c->error_text() == error_category().message(static_cast<int>(errc::queue_full)));
    f.run();
    BOOST_TEST(b->completed);
    BOOST_TEST(!b->error);
}

std::string message_of(errc code) { return error_category().message(static_cast<int>(code)); }

BOOST_AUTO_TEST_CASE(more_bytes_than_max_pending_bytes_are_refused)
{
    engine_fixture f({.nodes = 1, .max_pending_bytes = 100});
    f.with_workers(1);
    auto running = f.add_call(1000); // begins at once, so it does not wait
    BOOST_TEST(f.held(1) == 1u);
    f.begin(1);
    auto a = f.add_call(60);
    BOOST_TEST(f.core->stats().pending_bytes == 60u);
    auto b = f.add_call(41);
    BOOST_TEST(b->error_text() == message_of(errc::queue_full));
    auto c = f.add_call(40);
    BOOST_TEST(!c->completed);
    auto range = f.add(1000, map_of(1000, {.prio = priority::low})); // its elements are not read yet
    BOOST_TEST(!range->completed);
    f.run();
    for (const auto& op : {running, a, c, range})
        BOOST_TEST((op->completed && !op->error));
    BOOST_TEST(f.core->stats().pending_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(calls_can_wait_for_room)
{
    engine_fixture f({.nodes = 1, .max_pending = 1, .max_pending_bytes = 100, .on_overflow = overflow::wait});
    f.with_workers(1);
    auto running = f.add_call(10);
    f.begin(1);
    auto pending = f.add_call(10);
    auto too_many = f.add_call(10), too_large = f.add_call(500), last = f.add_call(10);
    BOOST_TEST(f.core->stats().pending == 1u);
    BOOST_TEST(f.core->stats().waiting == 3u);
    BOOST_TEST(f.core->stats().pending_bytes == 10u);
    BOOST_TEST(f.core->active());
    f.finish(1);
    for (const auto& next : {pending, too_many, too_large, last}) {
        BOOST_TEST(f.first(1).work->op == next);
        f.finish(1);
    }
    for (const auto& op : {running, pending, too_many, too_large, last})
        BOOST_TEST((op->completed && !op->error));
    BOOST_TEST(f.core->stats().waiting == 0u);
    BOOST_TEST(f.core->stats().pending_bytes == 0u);
    BOOST_TEST(!f.core->active());
}

BOOST_AUTO_TEST_CASE(calls_that_wait_for_room_can_end_before)
{
    engine_fixture f({.nodes = 1, .max_pending = 1, .on_overflow = overflow::wait});
    f.with_workers(1);
    f.add_call(10);
    f.begin(1);
    f.add_call(10);
    auto late = f.add_call(10, {.deadline = 1s}), dropped = f.add_call(10), next = f.add_call(10);
    f.core->cancel(*dropped, asio::cancellation_type::total);
    f.core->decide();
    BOOST_TEST(dropped->completed);
    BOOST_TEST((f.core->next_wake() == f.now + 1s));
    f.now += 1s;
    f.core->tick();
    f.core->decide();
    BOOST_TEST(late->error_text() == message_of(errc::deadline_exceeded));
    f.run();
    BOOST_TEST((next->completed && !next->error));
    BOOST_TEST(f.workers.executed.size() == 3u); // the two others never ran
}

BOOST_AUTO_TEST_CASE(streams_can_wait_for_room_and_are_joined)
{
    engine_fixture f({.nodes = 1, .max_pending = 1, .on_overflow = overflow::wait});
    f.with_workers(1);
    f.add_call(10);
    f.begin(1);
    f.add_call(10);
    auto stream = f.add(5, {.stream = true, .stops_at_failure = false, .total = 5});
    BOOST_TEST(f.core->stats().waiting == 1u);
    BOOST_TEST(!f.core->idle_but_for_streams());
    f.core->close([] { return make_error(errc::pool_closed); });
    f.core->unbind_streams();
    f.run();
    BOOST_TEST((stream->completed && !stream->error));
    BOOST_TEST(stream->stored.size() == 5u);
}

// ---------------------------------------------------------------- fairness

BOOST_AUTO_TEST_CASE(a_small_call_does_not_wait_for_what_a_large_one_has_sent_ahead)
{
    engine_fixture f({.nodes = 2});
    f.with_workers(2);
    auto map = f.add(1000, map_of(1000, {.chunk_size = 50}));
    f.begin(1);
    f.begin(2);
    f.now += 10ms;
    BOOST_TEST(f.held(1) == 2u);
    auto small = f.add_call(0);
    BOOST_TEST(map->stored.size() == 0u);
    while (!small->completed) {
        f.now += 10ms;
        f.finish(1, 1, 10ms);
        f.finish(2, 1, 10ms);
        BOOST_TEST_REQUIRE(map->stored.size() <= 4u);
    }
    f.run();
    BOOST_TEST((map->completed && !map->error));
    BOOST_TEST(map->stored.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(small_calls_without_end_do_not_starve_a_large_one)
{
    engine_fixture f({.nodes = 1});
    f.with_workers(1);
    auto map = f.add(40, map_of(40, {.chunk_size = 4}));
    std::size_t calls = 0;
    while (!map->completed && calls < 5000) {
        auto call = f.add_call(0);
        ++calls;
        f.now += 10ms;
        f.finish(1, 1, 10ms);
    }
    BOOST_TEST(map->completed);
    f.run();
}

// ---------------------------------------------------------------- recycling

BOOST_AUTO_TEST_CASE(a_worker_leaves_after_its_share_of_tasks_when_its_successor_is_ready)
{
    engine_fixture f({.nodes = 1, .max_tasks_per_child = 10});
    f.with_workers(1);
    auto op = f.add(25, map_of(25, {.chunk_size = 4}));
    for (worker_id id = 1; id <= 3; ++id) {
        std::size_t ran = 0;
        while (f.held(id) != 0) {
            f.finish(id, 1);
            ++ran;
        }
        BOOST_TEST(ran <= 10u);
        if (id < 3) {
            BOOST_TEST_REQUIRE(f.workers.launched.size() == id);
            BOOST_TEST(f.workers.retired.size() == id - 1); // it does not leave before that
            f.core->worker_ready(f.workers.launched.back().first);
            f.core->decide();
            BOOST_TEST(f.workers.retired.size() == id);
            f.die(id, true);
        }
    }
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 25u);
    BOOST_TEST(f.core->stats().recycled == 2u);
}

BOOST_AUTO_TEST_CASE(a_worker_goes_on_until_its_successor_is_ready)
{
    engine_fixture f({.nodes = 1, .max_age_per_child = 1s});
    f.with_workers(1);
    auto op = f.add(100, map_of(100, {.chunk_size = 4}));
    f.finish(1, 1);
    BOOST_TEST((f.core->next_wake() <= f.now + 1s));
    f.now += 1s;
    f.core->tick();
    f.core->decide();
    BOOST_TEST((f.workers.launched == std::vector<std::pair<worker_id, std::size_t>>{{2, 0}}));
    BOOST_TEST((f.core->next_wake() > f.now + 1s)); // asked for once
    f.finish(1);
    BOOST_TEST(f.held(1) == 2u); // and it still gets work
    f.begin(1);
    f.core->worker_ready(2);
    f.core->decide();
    BOOST_TEST(f.first(1).keep == 1u); // what it had not begun goes to the other
    BOOST_TEST(f.held(2) == 2u);
    BOOST_TEST(f.workers.retired.empty());
    for (worker_id id : {1, 1, 2})
        if (f.held(id) != 0)
            f.finish(id);
    BOOST_TEST(f.workers.retired == std::vector<worker_id>{1}, boost::test_tools::per_element());
    f.run();
    BOOST_TEST(op->completed);
    BOOST_TEST(f.workers.executed.size() == 100u); // each once
}

BOOST_AUTO_TEST_CASE(workers_of_one_age_do_not_leave_together)
{
    engine_fixture f({.nodes = 3, .max_age_per_child = 1s});
    f.with_workers(3);
    f.now += 1s;
    f.core->tick();
    f.core->worker_grew(2);
    f.core->decide();
    BOOST_TEST_REQUIRE(f.workers.launched.size() == 1u);
    const worker_id first = f.workers.launched.front().second + 1;
    f.core->worker_ready(f.workers.launched.front().first);
    f.core->decide();
    f.die(first, true);
    BOOST_TEST((f.core->next_wake() <= f.now)); // the next one's turn
    f.core->tick();
    BOOST_TEST(f.workers.launched.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_jitter_makes_workers_leave_at_different_moments)
{
    engine_fixture f({.nodes = 8, .max_age_per_child = 1000s, .recycle_jitter = 0.5, .seed = 7});
    const time_point begin = f.now;
    f.with_workers(8);
    std::set<duration> left;
    while (f.workers.launched.size() < 8 && f.core->next_wake() != time_point::max()) {
        f.now = f.core->next_wake();
        f.core->tick();
        left.insert(f.now - begin);
        const auto [next, node] = f.workers.launched.back();
        f.core->worker_ready(next);
        f.core->decide();
        f.die(node + 1, true);
    }
    BOOST_TEST(left.size() == 8u);
    BOOST_TEST((*left.begin() >= 500s));
    BOOST_TEST((*left.begin() < 1000s));
}

BOOST_AUTO_TEST_CASE(no_worker_runs_more_than_its_share_while_it_waits_for_its_successor)
{
    engine_fixture f({.nodes = 1, .max_tasks_per_child = 1});
    f.with_workers(1);
    auto op = f.add(3, map_of(3));
    f.finish(1);
    BOOST_TEST(f.held(1) == 0u);
    BOOST_TEST(op->stored.size() == 1u);
    BOOST_TEST(f.core->stats().ready == 1u);
}

BOOST_FIXTURE_TEST_CASE(closed_engines_refuse, fixture)
{
    with_workers(1);
    auto before = add(1, map_of(1));
    core->close([] { return make_error(errc::pool_closed); });
    auto after = add(1, map_of(1));
    BOOST_TEST(after->error_text() == error_category().message(static_cast<int>(errc::pool_closed)));
    run();
    BOOST_TEST(before->completed);
    BOOST_TEST(!before->error);
}

// ---------------------------------------------------------------- coroutines beside plain functions

BOOST_FIXTURE_TEST_CASE(coroutines_run_beside_each_other_but_not_beside_plain_functions, fixture)
{
    with_workers(1);
    auto waits = add(100, {.coroutine = true, .stops_at_failure = false});
    BOOST_TEST(held(1) == 4u);
    auto plain = add(1, map_of(1));
    BOOST_TEST(held(1) == 4u);
    finish(1);
    BOOST_TEST(held(1) == 4u); // the coroutines' turn; then
    finish(1);
    BOOST_TEST(held(1) == 3u); // the worker runs empty for the plain one
    finish(1);
    finish(1);
    finish(1);
    BOOST_TEST(held(1) == 1u);
    BOOST_TEST(first(1).work->op == plain);
    finish(1);
    BOOST_TEST(held(1) == 4u);
    run();
    BOOST_TEST(waits->completed);
}

BOOST_AUTO_TEST_SUITE_END()
