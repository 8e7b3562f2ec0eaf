// SPDX-License-Identifier: BSL-1.0
// call_options::hedge_after: tasks that are late have a second run.
#include "engine/engine.hpp"
#include "engine/hedge_plan.hpp"

#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

struct fixture : engine_fixture
{
    fixture() : engine_fixture({.nodes = 2, .child_concurrency = 4})
    {
        workers.tells_what_runs = true;
        with_workers(2);
    }

    void pass(duration time)
    {
        now += time;
        core->tick();
        core->decide();
    }

    std::shared_ptr<fake_operation> add_hedged(std::size_t tasks = 1, call_options options = {}, bool stops = true)
    {
        options.chunk_size = 1;
        options.hedge_after = 50ms;
        return add(tasks, {.options = options, .stops_at_failure = stops, .total = tasks});
    }

    void start(worker_id worker)
    {
        begin(worker);
        first(worker).begun_at = now;
    }

    /// A lone task that is late: worker 1 runs it, and worker 2 its copy.
    std::shared_ptr<fake_operation> add_race(call_options options = {}, bool stops = true)
    {
        auto op = add_hedged(1, options, stops);
        start(1);
        pass(50ms);
        BOOST_TEST_REQUIRE(held(2) == 1u);
        BOOST_TEST(first(2).work->copy);
        start(2);
        return op;
    }

    void kill(worker_id worker)
    {
        die(worker, true);
        std::erase(workers.replaced, worker);
    }
};

struct thread_fixture : fixture
{
    thread_fixture()
    {
        workers.able.can_kill = false;
        workers.able.local = true;
        reset({.nodes = 2});
        with_workers(2);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_hedging)

BOOST_AUTO_TEST_CASE(one_task_in_twenty_may_have_a_copy_and_the_first_in_any_case)
{
    struct
    {
        std::uint64_t tasks;
        std::size_t copies;
    } table[] = {{0, 1}, {1, 1}, {19, 1}, {39, 1}, {40, 2}, {59, 2}, {60, 3}, {1000, 50}, {1'000'000, 50}};
    for (const auto& row : table) {
        hedge_budget budget;
        budget.add_tasks(row.tasks);
        std::size_t copies = 0;
        for (; budget.allows_copy(); ++copies)
            budget.add_copy();
        BOOST_TEST(copies == row.copies, row.tasks << " tasks allow " << copies << " copies");
    }
}

BOOST_AUTO_TEST_CASE(what_a_quiet_time_has_saved_does_not_stop_the_budget_later)
{
    hedge_budget budget;
    std::uint64_t tasks = 0, copies = 0;
    for (int round = 0; round != 10; ++round) {
        budget.add_tasks(500);
        tasks += 500;
        for (; budget.allows_copy(); ++copies)
            budget.add_copy();
        BOOST_TEST(copies == tasks / 20);
    }
}

BOOST_AUTO_TEST_CASE(a_percentile_is_known_after_some_tasks_and_forgets_old_ones)
{
    recent_times times;
    times.record(1ms, 19);
    BOOST_TEST(!times.percentile(95));
    times.record(1ms, 1);
    BOOST_TEST_REQUIRE(times.percentile(95).has_value());
    BOOST_TEST((*times.percentile(95) < 2ms));
    for (int i = 0; i != 2'000; ++i)
        times.record(i % 10 == 0 ? 1s : 100ms, 1);
    BOOST_TEST((*times.percentile(50) > 80ms && *times.percentile(50) < 120ms));
    BOOST_TEST((*times.percentile(95) > 800ms));
}

BOOST_AUTO_TEST_CASE(kinds_are_told_apart_by_type_and_label_and_bounded)
{
    times_by_kind kinds;
    recent_times& first = kinds.of("int(int)", nullptr);
    BOOST_TEST(&kinds.of("int(int)", nullptr) == &first);
    BOOST_TEST(&kinds.of("int(int)", "a") != &first);
    BOOST_TEST(&kinds.of("int(long)", nullptr) != &first);
    for (std::size_t i = 0; i != 2 * times_by_kind::most_kinds; ++i)
        kinds.of(std::to_string(i), nullptr);
    BOOST_TEST(&kinds.of("yet another", nullptr) == &kinds.of("and another", nullptr));
    BOOST_TEST(&kinds.of("int(int)", nullptr) == &first);
}

BOOST_AUTO_TEST_CASE(when_to_look_and_what_is_late)
{
    const time_point now{1h};
    using running = backend::running_task;
    struct
    {
        std::optional<running> runs;
        std::size_t settled;
        std::optional<duration> delay;
        std::optional<std::size_t> late;
        time_point again;
    } table[] = {
        {running{0, now - 50ms}, 0, 50ms, 0, time_point::max()},
        {running{7, now - 51ms}, 3, 50ms, 7, time_point::max()},
        {running{0, now - 49ms}, 0, 50ms, std::nullopt, now + 1ms},
        {running{2, now - 1h}, 3, 50ms, std::nullopt, now + 50ms}, // its outcome is on its way
        {std::nullopt, 0, 50ms, std::nullopt, now + 50ms},
        {running{0, now - 1h}, 0, std::nullopt, std::nullopt, now + 20ms},
        {running{0, now}, 0, duration::max(), std::nullopt, time_point::max()},
    };
    for (const auto& row : table) {
        const hedge_look look = look_at_running(row.runs, row.settled, row.delay, now);
        BOOST_TEST((look.late == row.late));
        BOOST_TEST((look.again == row.again));
    }
}

BOOST_AUTO_TEST_CASE(only_an_answer_decides_a_race)
{
    for (const run_end end : {run_end::answered, run_end::threw, run_end::died})
        BOOST_TEST((judge_race(false, end) == race_result::alone));
    BOOST_TEST((judge_race(true, run_end::answered) == race_result::decided));
    BOOST_TEST((judge_race(true, run_end::threw) == race_result::goes_on));
    BOOST_TEST((judge_race(true, run_end::died) == race_result::goes_on));
}

BOOST_FIXTURE_TEST_CASE(a_late_task_has_a_copy_which_may_win, fixture)
{
    auto op = add_hedged();
    start(1);
    pass(49ms);
    BOOST_TEST(held(2) == 0u);
    pass(1ms);
    BOOST_TEST_REQUIRE(held(2) == 1u);
    BOOST_TEST(core->stats().hedged == 1u);
    finish(2);
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored == std::vector<std::uint64_t>{0}, boost::test_tools::per_element());
    BOOST_TEST(core->stats().hedges_won == 1u);
    BOOST_TEST(core->stats().done == 1u);
    // The worker of the other one is asked to stop, gets nothing meanwhile, and is killed after the grace.
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(core->active());
    add(1);
    BOOST_TEST(held(1) == 1u);
    BOOST_TEST(held(2) == 1u);
    pass(200ms);
    BOOST_TEST(workers.replaced == std::vector<worker_id>{1}, boost::test_tools::per_element());
    kill(1);
    BOOST_TEST(op->stored.size() == 1u);
    BOOST_TEST(core->stats().failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_first_run_may_win_and_the_copy_ends_in_time, fixture)
{
    auto op = add_race();
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(core->stats().hedges_won == 0u);
    BOOST_TEST(first(2).cancelled);
    finish(2); // what it gives is dropped
    BOOST_TEST(op->stored.size() == 1u);
    pass(1s);
    BOOST_TEST(workers.replaced.empty());
    BOOST_TEST(!core->active());
    BOOST_TEST(core->stats().done == 1u);
    BOOST_TEST(core->stats().cancelled == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_exception_is_an_answer, fixture)
{
    auto op = add_race();
    fail(2, "no");
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "no");
    finish(1);
    BOOST_TEST(core->stats().failed == 1u);
    BOOST_TEST(core->stats().done == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_exception_that_would_be_retried_is_none_and_uses_up_no_attempt, fixture)
{
    auto op = add_race({.retry = {.attempts = 2}});
    fail(1, "busy");
    BOOST_TEST(!op->completed);
    BOOST_TEST(core->stats().retried == 0u);
    fail(2, "busy"); // the task's first attempt that counts
    BOOST_TEST(!op->completed);
    BOOST_TEST(core->stats().retried == 1u);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
}

BOOST_FIXTURE_TEST_CASE(a_death_in_one_run_counts_for_nothing_while_the_other_goes_on, fixture)
{
    for (const worker_id dies : {1, 2}) {
        reset({.nodes = 2});
        workers.workers.clear();
        with_workers(2);
        auto op = add_race();
        die(dies);
        BOOST_TEST(!op->completed);
        finish(3 - dies);
        BOOST_TEST(op->completed);
        BOOST_TEST(!op->error);
        BOOST_TEST(core->stats().failed == 0u);
    }
}

BOOST_FIXTURE_TEST_CASE(when_both_die_the_task_has_died, fixture)
{
    auto op = add_race();
    die(2);
    die(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "died in 0");
    BOOST_TEST(core->stats().lost == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_task_that_is_out_of_time_takes_its_copy_along, fixture)
{
    auto op = add_race({.timeout = 80ms});
    pass(30ms);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == make_error_code(errc::task_timed_out).message());
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(first(2).cancelled);
    BOOST_TEST(core->stats().failed == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_operation_ends_both, fixture)
{
    auto op = add_race();
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(first(2).cancelled);
    finish(1);
    finish(2);
    BOOST_TEST(!core->active());
}

BOOST_FIXTURE_TEST_CASE(a_copy_keeps_no_other_task_waiting, fixture)
{
    auto op = add_hedged(2);
    start(1);
    start(2);
    pass(60ms); // both are late, and no worker is free
    BOOST_TEST(core->stats().hedged == 0u);
    finish(2);
    BOOST_TEST(core->stats().hedged == 1u);
    BOOST_TEST_REQUIRE(held(2) == 1u);
    BOOST_TEST(first(2).work->copy);
    BOOST_TEST(first(2).work->first == 0u);
    finish(2);
    BOOST_TEST(op->completed);
}

BOOST_FIXTURE_TEST_CASE(what_stands_behind_a_late_task_goes_elsewhere, fixture)
{
    reset({.nodes = 2});
    with_workers(1);
    auto op = add(8, {.options = {.chunk_size = 8, .hedge_after = 50ms}, .total = 8});
    start(1);
    BOOST_TEST(first(1).keep == 8u);
    pass(50ms);
    BOOST_TEST(first(1).keep == 1u);
    core->worker_ready(2);
    core->decide();
    while (held(2) != 0)
        finish(2, 1);
    BOOST_TEST(op->completed); // the copy among them
    BOOST_TEST(op->stored.size() == 8u);
    BOOST_TEST(core->stats().hedged == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_budget_bounds_the_copies, fixture)
{
    add_race();
    finish(1);
    finish(2);
    for (int i = 1; i != 39; ++i) {
        add_hedged();
        run();
    }
    BOOST_TEST(core->stats().hedged == 1u);
    auto op = add_hedged(); // the fortieth task
    start(1);
    pass(50ms);
    BOOST_TEST(core->stats().hedged == 2u);
    finish(2);
    BOOST_TEST(op->completed);
    finish(1);
    auto refused = add_hedged();
    start(1);
    pass(1h);
    BOOST_TEST(core->stats().hedged == 2u);
    finish(1);
    BOOST_TEST(refused->completed);
}

// What comes back from a worker is no further task of which a copy would be a twentieth.
BOOST_FIXTURE_TEST_CASE(a_task_that_is_handed_out_again_is_counted_once, fixture)
{
    struct
    {
        const char* what;
        std::function<void()> happens;
        bool died = false;
    } table[] = {
        {"an idle worker gets a part of the chunk", [] {}},
        {"its worker dies before it", [&] { die(1); }, true},
        {"its worker dies in it", [&] { start(1), die(1); }, true},
        {"it threw", [&] { fail(1, "busy"); }},
        {"it stands behind a late one", [&] { start(1), pass(50ms); }},
    };
    for (const auto& row : table) {
        BOOST_TEST_CONTEXT(row.what)
        {
            reset({.nodes = 2});
            workers.workers.clear();
            with_workers(2);
            add_race(); // the first copy is always allowed
            finish(1);
            finish(2);
            call_options options{.chunk_size = 37, .retries = 1};
            options.retry.attempts = 2;
            options.hedge_after = 50ms;
            auto op = add(37, {.options = options, .total = 37});
            for (const worker_id id : {1, 2})
                if (held(id) != 0 && first(id).keep == 0) // all of it was taken for the other one
                    finish(id, 0);
            BOOST_TEST_REQUIRE(held(1) != 0u);
            row.happens();
            if (row.died) {
                core->worker_ready(3);
                core->decide();
            }
            run();
            BOOST_TEST(op->completed);
            BOOST_TEST(!op->error);
            BOOST_TEST(core->stats().hedged == 1u);
            for (const std::size_t copies : {1u, 2u}) { // the 39th task, and the 40th
                auto lone = add_hedged();
                for (const worker_id id : {1, 2, 3})
                    if (held(id) != 0)
                        start(id);
                pass(50ms);
                BOOST_TEST(core->stats().hedged == copies);
                run();
                BOOST_TEST(lone->completed);
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_percentile_goes_by_the_tasks_of_the_pool, fixture)
{
    const call_options options{.chunk_size = 1, .hedge_after = percentile{95}};
    for (int i = 0; i != 20; ++i) {
        add(1, {.options = options, .total = 1});
        start(1);
        now += 10ms;
        finish(1);
    }
    auto op = add(1, {.options = options, .total = 1});
    start(1);
    pass(5ms);
    BOOST_TEST(held(2) == 0u);
    pass(10ms); // of a histogram: the bound is not exact
    BOOST_TEST(held(2) == 1u);
    finish(2);
    BOOST_TEST(op->completed);
}

BOOST_FIXTURE_TEST_CASE(a_coroutine_has_its_copy_on_another_worker, fixture)
{
    auto other = add(1, {.coroutine = true, .total = 1}); // keeps worker 1 or 2 from being idle
    auto op = add(2, {.options = {.chunk_size = 1, .hedge_after = 50ms}, .coroutine = true, .total = 2});
    for (const worker_id id : {1, 2})
        for (auto& h : workers.workers[id])
            h.begun = 1, h.begun_at = now;
    pass(50ms);
    BOOST_TEST(core->stats().hedged == 1u);
    std::map<std::uint64_t, std::set<worker_id>> where;
    for (const worker_id id : {1, 2})
        for (const auto& h : workers.workers[id])
            if (h.work->op == op)
                BOOST_TEST(where[h.work->first].insert(id).second, "both runs of a task are on one worker");
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(no_copy_where_concurrency_is_bounded, fixture)
{
    add_hedged(1, {.max_concurrency = 1});
    start(1);
    pass(1s);
    BOOST_TEST(held(2) == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_operation_on_threads_waits_for_the_loser_but_not_for_its_value, thread_fixture)
{
    auto op = add_race();
    finish(2);
    BOOST_TEST(!op->completed);
    BOOST_TEST(first(1).cancelled);
    BOOST_TEST(op->stored.size() == 1u);
    fail(1, "stopped");
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(core->stats().done == 1u);
    BOOST_TEST(core->stats().failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_task_on_threads_is_out_of_time_in_both_runs, thread_fixture)
{
    auto op = add_race({.timeout = 80ms}, false);
    pass(30ms);
    BOOST_TEST(!op->completed);
    BOOST_TEST(first(2).cancelled);
    finish(2);
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->failures[0] == make_error_code(errc::task_timed_out).message());
    BOOST_TEST(op->stored.empty());
    BOOST_TEST(core->stats().failed == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
