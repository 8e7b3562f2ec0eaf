// SPDX-License-Identifier: BSL-1.0
// call_options::max_concurrency: so many tasks of one operation run at once, in all workers together.
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

struct fixture : engine_fixture
{
    fixture() : engine_fixture({.nodes = 4, .child_concurrency = 4}) {}

    std::shared_ptr<fake_operation> add_bounded(std::size_t total, std::size_t bound, std::size_t chunk_size = 1)
    {
        return add(total, {.options = {.chunk_size = chunk_size, .max_concurrency = bound},
                           .stops_at_failure = false,
                           .total = total});
    }

    /// Tasks of the operation that could run now: the first of each worker, and all coroutines.
    std::size_t may_run(const operation& op) const
    {
        std::size_t count = 0;
        for (const auto& [id, held] : workers.workers)
            for (const auto& h : held) {
                const bool first = &h == &held.front() || h.work->coroutine;
                count += first && h.work->op.get() == &op && h.keep > h.finished;
            }
        return count;
    }

    /// Runs everything, and returns the most tasks of the operation that could run at once.
    std::size_t run_and_count(const operation& op)
    {
        std::size_t most = may_run(op);
        for (bool any = true; any;) {
            any = false;
            for (auto& [id, held] : workers.workers)
                if (!held.empty()) {
                    finish(id, 1);
                    most = std::max(most, may_run(op));
                    any = true;
                }
        }
        return most;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_max_concurrency)

BOOST_FIXTURE_TEST_CASE(no_more_tasks_run_at_once_than_may, fixture)
{
    with_workers(4);
    auto op = add_bounded(100, 2);
    BOOST_TEST(may_run(*op) == 2u);
    BOOST_TEST(run_and_count(*op) == 2u);
    BOOST_TEST(op->stored.size() == 100u);
}

BOOST_FIXTURE_TEST_CASE(chunks_count_by_the_task_of_them_that_runs, fixture)
{
    with_workers(4);
    auto op = add_bounded(100, 3, 10);
    BOOST_TEST(run_and_count(*op) == 3u);
    BOOST_TEST(op->stored.size() == 100u);
}

BOOST_FIXTURE_TEST_CASE(coroutine_tasks_count_each, fixture)
{
    with_workers(4);
    auto op = add(100, {.options = {.max_concurrency = 6}, .coroutine = true, .total = 100});
    BOOST_TEST(run_and_count(*op) == 6u);
    BOOST_TEST(op->stored.size() == 100u);
}

BOOST_FIXTURE_TEST_CASE(streams_keep_to_it, fixture)
{
    with_workers(4);
    auto op = add(50, {.options = {.max_concurrency = 1}, .stream = true, .stops_at_failure = false});
    BOOST_TEST(run_and_count(*op) == 1u);
    BOOST_TEST(op->stored.size() == 50u);
    BOOST_TEST(op->completed);
}

BOOST_FIXTURE_TEST_CASE(the_other_workers_are_for_others, fixture)
{
    with_workers(4);
    auto op = add_bounded(100, 1);
    auto other = add(3, {.options = {.chunk_size = 1}, .total = 3});
    BOOST_TEST(may_run(*op) == 1u);
    BOOST_TEST(may_run(*other) == 3u);
    BOOST_TEST(run_and_count(*op) == 1u);
    BOOST_TEST(other->completed);
}

BOOST_FIXTURE_TEST_CASE(an_idle_worker_does_not_take_what_it_may_not_run, fixture)
{
    with_workers(2);
    auto op = add_bounded(100, 1, 100);
    begin(1);
    now += 1s; // the chunk takes long, and the other worker has nothing to do
    core->decide();
    BOOST_TEST(may_run(*op) == 1u);
    BOOST_TEST(run_and_count(*op) == 1u);
    BOOST_TEST(op->stored.size() == 100u);
}

BOOST_FIXTURE_TEST_CASE(what_stands_behind_other_tasks_goes_to_an_idle_worker, fixture)
{
    with_workers(1);
    auto long_one = add(1);
    begin(1);
    auto op = add_bounded(2, 1);
    BOOST_TEST(held(1) == 2u);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(held(2) == 1u);
    finish(2);
    finish(2);
    BOOST_TEST(op->completed);
    run();
    BOOST_TEST(long_one->completed);
}

BOOST_FIXTURE_TEST_CASE(a_dead_worker_gives_its_place_back, fixture)
{
    with_workers(2);
    auto op = add_bounded(10, 1);
    begin(1);
    die(1);
    BOOST_TEST(may_run(*op) == 1u);
    BOOST_TEST(run_and_count(*op) == 1u);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 9u);
}

// It was answered, and still runs.
BOOST_FIXTURE_TEST_CASE(a_task_that_ran_out_of_time_counts_until_its_worker_is_rid_of_it, fixture)
{
    with_workers(2);
    workers.tells_what_runs = true;
    auto op = add(
        10,
        {.options = {.chunk_size = 1, .timeout = 10ms, .max_concurrency = 1}, .stops_at_failure = false, .total = 10});
    begin(1);
    first(1).begun_at = now;
    now += 10ms;
    core->tick();
    core->decide();
    BOOST_TEST(op->failures.size() == 1u);
    BOOST_TEST(held(2) == 0u);
    BOOST_TEST(core->active());
    die(1, true);
    BOOST_TEST(held(2) == 1u);
    run();
    BOOST_TEST(op->stored.size() == 9u);
}

BOOST_FIXTURE_TEST_CASE(a_stream_waits_for_a_task_that_ran_out_of_time_without_resting, fixture)
{
    with_workers(2);
    workers.tells_what_runs = true;
    auto op = add(10, {.options = {.timeout = 10ms, .max_concurrency = 1}, .stream = true, .stops_at_failure = false});
    begin(1);
    first(1).begun_at = now;
    now += 10ms;
    core->tick();
    core->decide();
    BOOST_TEST(!core->idle_but_for_streams());
    die(1, true);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 9u);
}

BOOST_AUTO_TEST_SUITE_END()
