// SPDX-License-Identifier: BSL-1.0
// Workers that come and go by themselves.
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

operation_traits tasks(std::size_t total, call_options options = {})
{
    return {.options = options, .stops_at_failure = true, .total = total};
}

struct fixture : engine_fixture
{
    fixture()
    {
        workers.able.launches = false;
        reset({.nodes = 7, .max_tasks_per_child = 3, .max_age_per_child = 1s});
        core->start();
        core->decide();
    }
    void come(worker_id id)
    {
        core->worker_ready(id);
        core->decide();
    }
    worker_loss loss(bool expected) const
    {
        worker_loss lost;
        lost.expected = expected;
        lost.explain = [](std::uint64_t index) {
            return std::make_exception_ptr(std::runtime_error("lost " + std::to_string(index)));
        };
        lost.cause = [] { return std::make_exception_ptr(std::runtime_error("lost")); };
        return lost;
    }
    void go(worker_id id, bool expected)
    {
        workers.workers.erase(id);
        core->worker_gone(id, loss(expected));
        core->decide();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_engine_members, fixture)

BOOST_AUTO_TEST_CASE(nobody_is_launched_and_one_is_enough)
{
    BOOST_TEST(workers.launched.empty());
    BOOST_TEST(!core->complete());
    BOOST_TEST(core->stats().nodes == 1u); // never none
    come(1000);
    BOOST_TEST(core->complete());
    come(7);
    come(123456789);
    BOOST_TEST(core->stats().nodes == 3u);
    BOOST_TEST(core->stats().ready == 3u);
    go(7, true);
    BOOST_TEST(core->stats().nodes == 2u);
    BOOST_TEST(workers.launched.empty());
}

BOOST_AUTO_TEST_CASE(losses_break_nothing_and_nobody_is_replaced)
{
    reset({.nodes = 1, .restarts = {.count = 1, .window = 10s}});
    core->start();
    auto op = add(5, tasks(5));
    for (worker_id id = 1; id <= 50; ++id) {
        come(id);
        go(id, false);
    }
    BOOST_TEST(!op->completed);
    BOOST_TEST(core->stats().died == 50u);
    BOOST_TEST(core->stats().restarts == 0u);
    BOOST_TEST(workers.launched.empty());
    come(51);
    for (int i = 0; i < 5; ++i)
        finish(51, 1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 5u);
}

BOOST_AUTO_TEST_CASE(a_worker_serves_for_as_long_as_it_is_there)
{
    come(1);
    auto op = add(20, tasks(20, {.chunk_size = 1}));
    now += 5s;
    core->tick();
    core->decide();
    while (held(1) != 0)
        finish(1);
    BOOST_TEST(op->completed); // max_tasks_per_child and max_age_per_child are about workers that can be replaced
    BOOST_TEST(workers.retired.empty());
}

BOOST_AUTO_TEST_CASE(chunks_are_shared_among_those_that_are_there)
{
    come(1);
    auto op = add(8000, tasks(8000));
    finish(1, no_position, 1us);
    finish(1, no_position, 1us);
    const std::size_t alone = workers.workers[1].back().work->count;
    for (worker_id id = 2; id <= 50; ++id)
        core->worker_ready(id);
    workers.able.chunk_aim = 400us;
    core->decide();
    BOOST_TEST(workers.workers[50].back().work->count * 10 < alone * 49);
    run();
}

BOOST_AUTO_TEST_CASE(operations_that_have_waited_for_too_long_end_with_what_the_backend_says)
{
    const auto cause = [] { return std::make_exception_ptr(std::runtime_error("nobody is there")); };
    auto old = add(3, tasks(3));
    operation_traits tries = tasks(4);
    tries.stops_at_failure = false;
    auto old_one_that_tries = add(4, tries);
    now += 1s;
    const time_point before = now;
    auto young = add(3, tasks(3));
    core->unusable(cause, before);
    core->decide();
    BOOST_TEST(old->completed);
    BOOST_TEST(old->error_text() == "nobody is there");
    BOOST_TEST(old_one_that_tries->completed);
    BOOST_TEST(old_one_that_tries->failures.size() == 4u);
    BOOST_TEST(!young->completed);
    auto younger = add(1, tasks(1)); // is not refused
    BOOST_TEST(!younger->completed);
    come(1);
    while (held(1) != 0)
        finish(1);
    BOOST_TEST(young->completed);
    BOOST_TEST(young->error_text() == "");
    BOOST_TEST(younger->completed);
    BOOST_TEST(!core->active());
}

// The task may have run: it fails its operation, and nothing of it is taken back besides.
BOOST_AUTO_TEST_CASE(a_chunk_that_is_lost_on_the_way_ends_its_operation_at_once)
{
    come(1000);
    auto op = add(1, tasks(1));
    const chunk_id id = first(1000).work->id;
    worker_loss lost = loss(false);
    lost.begun.push_back({id, 0});
    core->chunk_lost(1000, id, lost);
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "lost 0");
    BOOST_TEST(core->stats().ready == 1u); // its worker goes on
}

BOOST_AUTO_TEST_SUITE_END()
