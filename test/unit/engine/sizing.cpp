// SPDX-License-Identifier: BSL-1.0
// How many workers an elastic pool has.
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

operation_traits one() { return {.total = 1}; }
operation_traits map_of(std::size_t total, call_options options = {}) { return {.options = options, .total = total}; }

struct fixture : engine_fixture
{
    explicit fixture(engine::settings s = {.nodes = 4, .min_nodes = 1, .idle_timeout = 1s}) : engine_fixture(s)
    {
        core->start();
        core->decide();
        get_ready();
    }

    std::size_t launched() const { return workers.launched.size(); }

    /// All that were launched are ready, at once.
    std::vector<worker_id> get_ready()
    {
        std::vector<worker_id> arrived;
        for (const auto& [worker, node] : std::exchange(workers.launched, {})) {
            core->worker_ready(worker);
            arrived.push_back(worker);
        }
        core->decide();
        put_away();
        return arrived;
    }

    /// Chunks that were taken back whole end.
    void put_away()
    {
        for (auto& [worker, chunks] : workers.workers)
            for (auto h = chunks.begin(); h != chunks.end();) {
                if (h->keep != 0) {
                    ++h;
                    continue;
                }
                const chunk_id id = h->work->id;
                h = chunks.erase(h);
                core->chunk_ended(worker, id, 0s);
            }
        core->decide();
    }

    /// Time passes; the engine is woken when it wants to be.
    void pass(duration d)
    {
        for (const time_point until = now + d;;) {
            const time_point next =
                std::min(core->active() ? core->next_wake() : time_point::max(), core->shrinks_at());
            now = std::min(std::max(now, next), until);
            core->tick();
            core->decide();
            if (next > until)
                return;
        }
    }

    std::vector<worker_id> left()
    {
        std::vector<worker_id> gone;
        for (const worker_id worker : std::exchange(workers.retired, {})) {
            die(worker, true);
            gone.push_back(worker);
        }
        return gone;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_engine_sizing)

BOOST_FIXTURE_TEST_CASE(the_kept_workers_are_started_and_no_more, fixture)
{
    BOOST_TEST(core->stats().ready == 1u);
    BOOST_TEST(core->complete());
    pass(1h);
    BOOST_TEST(launched() == 0u);
}

BOOST_FIXTURE_TEST_CASE(calls_that_wait_longer_than_a_start_takes_get_workers_as_many_as_there_are_calls, fixture)
{
    std::vector<std::shared_ptr<fake_operation>> calls;
    for (int i = 0; i < 3; ++i)
        calls.push_back(add(1, one()));
    begin(1);
    pass(19ms);
    BOOST_TEST(launched() == 0u);
    pass(1ms);
    BOOST_TEST(launched() == 2u); // the first one runs
    pass(1s);
    BOOST_TEST(launched() == 2u); // they are on their way
    get_ready();
    for (const worker_id worker : {1, 2, 3})
        BOOST_TEST(held(worker) == 1u);
}

BOOST_FIXTURE_TEST_CASE(calls_that_wait_for_less_get_none, fixture)
{
    for (int i = 0; i < 100; ++i) { // the worker is never idle
        add(1, one());
        add(1, one());
        now += 5ms;
        finish(1, 1, 5ms);
        now += 5ms;
        finish(1, 1, 5ms);
        core->tick();
        core->decide();
    }
    BOOST_TEST(launched() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_map_gets_as_many_as_it_has_tasks_for, fixture)
{
    add(3, map_of(3, {.chunk_size = 1}));
    begin(1);
    pass(20ms);
    BOOST_TEST(launched() == 2u);
    get_ready();
    BOOST_TEST(held(2) + held(3) == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_map_of_tasks_that_are_soon_done_gets_none, fixture)
{
    add(100'000, map_of(100'000, {.chunk_size = 1}));
    finish(1, 1, 1us);
    core->tick();
    now += 19ms;
    for (int i = 0; i < 99'990; ++i)
        finish(1, 1, 100ns);
    now += 2ms;
    pass(1ms);
    BOOST_TEST(launched() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_stream_that_nobody_reads_gets_none, fixture)
{
    auto op = std::make_shared<fake_operation>(
        100, operation_traits{.options = {.chunk_size = 1}, .stream = true, .stops_at_failure = false});
    op->window = 2;
    core->add(op);
    core->decide();
    run();
    pass(1s);
    BOOST_TEST(launched() == 0u);
}

BOOST_AUTO_TEST_CASE(a_pool_that_keeps_nobody_starts_one_at_the_first_call)
{
    fixture f({.nodes = 4, .min_nodes = 0, .idle_timeout = 1s});
    BOOST_TEST(f.core->complete());
    auto call = f.add(1, one());
    BOOST_TEST_REQUIRE(f.launched() == 1u);
    const worker_id worker = f.get_ready().front();
    f.finish(worker);
    BOOST_TEST(call->completed);
    BOOST_TEST(!f.core->active());
    f.pass(999ms);
    BOOST_TEST(f.workers.retired.empty());
    f.pass(1ms);
    BOOST_TEST(f.left() == std::vector<worker_id>{worker}, boost::test_tools::per_element());
    BOOST_TEST(f.core->stats().ready == 0u);
    BOOST_TEST(f.core->stats().retired == 1u);
    BOOST_TEST(f.launched() == 0u);
    f.add(1, one());
    BOOST_TEST(f.launched() == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_last_that_came_are_the_first_to_go, fixture)
{
    for (int i = 0; i < 4; ++i)
        add(1, one());
    begin(1);
    pass(20ms);
    get_ready();
    BOOST_TEST(core->stats().ready == 4u);
    for (const worker_id worker : {4, 1, 3, 2})
        finish(worker);
    add(1, one()); // goes to the oldest
    BOOST_TEST(held(1) == 1u);
    begin(1);
    pass(500ms);
    finish(1);
    pass(500ms);
    BOOST_TEST(left() == (std::vector<worker_id>{4, 3, 2}), boost::test_tools::per_element());
    pass(1h);
    BOOST_TEST(left().empty());
}

// An idle pool does not listen for the end of a chunk whose outcomes it has.
BOOST_AUTO_TEST_CASE(a_worker_whose_last_chunk_has_all_its_outcomes_is_idle)
{
    fixture f({.nodes = 2, .min_nodes = 0, .idle_timeout = 1s});
    auto call = f.add(1, one());
    const worker_id worker = f.get_ready().front();
    f.begin(worker);
    f.pass(3s);
    BOOST_TEST(f.workers.retired.empty());
    f.core->task_finished(worker, f.first(worker).work->id, 0, nullptr);
    f.core->decide();
    BOOST_TEST(call->completed);
    f.pass(3s);
    BOOST_TEST(f.workers.retired == std::vector<worker_id>{worker}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(workers_of_a_pool_without_an_idle_timeout_stay)
{
    fixture f({.nodes = 4, .min_nodes = 0});
    f.add(1, one());
    f.finish(f.get_ready().front());
    f.pass(1h);
    BOOST_TEST(f.left().empty());
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_is_busy_with_what_nobody_wants_does_not_count, fixture)
{
    auto hangs = add(1, one());
    begin(1);
    core->cancel(*hangs, asio::cancellation_type::partial); // no bound
    core->decide();
    add(1, one());
    pass(20ms);
    BOOST_TEST(launched() == 1u);
}

// ---------------------------------------------------------------- resize

BOOST_AUTO_TEST_CASE(a_pool_that_is_made_smaller_lets_its_tasks_end_and_takes_back_the_others)
{
    fixture f({.nodes = 2});
    auto op = f.add(4, map_of(4, {.chunk_size = 1}));
    BOOST_TEST((f.held(1) == 2u && f.held(2) == 2u));
    f.begin(1);
    f.begin(2);
    f.core->resize(1);
    f.core->decide();
    BOOST_TEST(f.core->stats().nodes == 1u);
    BOOST_TEST(f.workers.retired.empty());
    f.finish(2, 1);
    f.put_away();
    BOOST_TEST(f.left() == std::vector<worker_id>{2}, boost::test_tools::per_element());
    f.run();
    BOOST_TEST(op->completed);
    BOOST_TEST(f.workers.executed.size() == 4u); // each once
    BOOST_TEST(f.launched() == 0u);
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_made_larger_has_its_workers_at_once)
{
    fixture f({.nodes = 1});
    f.core->resize(3);
    f.core->decide();
    BOOST_TEST(!f.core->complete());
    f.get_ready();
    BOOST_TEST(f.core->complete());
    BOOST_TEST(f.core->stats().ready == 3u);
}

BOOST_AUTO_TEST_CASE(calls_that_wait_already_count_when_a_pool_becomes_elastic)
{
    fixture f({.nodes = 1, .min_nodes = 1, .idle_timeout = 1s});
    for (int i = 0; i < 3; ++i)
        f.add(1, one());
    f.begin(1);
    f.pass(1s);
    BOOST_TEST(f.launched() == 0u);
    f.core->resize(4);
    f.core->decide();
    f.pass(20ms);
    BOOST_TEST(f.launched() == 2u);
}

BOOST_AUTO_TEST_CASE(a_flood_that_comes_each_second_does_not_make_the_pool_flap)
{
    fixture f({.nodes = 4, .min_nodes = 1, .idle_timeout = 100ms});
    std::size_t launches = 0;
    for (int second = 0; second != 60; ++second) {
        for (int i = 0; i < 40; ++i)
            f.add(1, one());
        for (int step = 0; step != 100; ++step) { // each task takes 10 ms
            f.pass(10ms);
            launches += f.launched();
            f.get_ready();
            for (worker_id worker = 1; worker != 100; ++worker)
                if (const auto w = f.workers.workers.find(worker); w != f.workers.workers.end() && !w->second.empty())
                    f.finish(worker, 1, 10ms);
            f.left();
        }
    }
    BOOST_TEST(launches >= 3u);
    BOOST_TEST(launches <= 20u);
}

BOOST_AUTO_TEST_SUITE_END()
