// SPDX-License-Identifier: BSL-1.0
// call_options::queue_timeout: an operation none of whose tasks begins in time ends, and none of them ever runs.
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

const std::string timed_out = make_error_code(errc::queue_timed_out).message();

struct fixture : engine_fixture
{
    explicit fixture(engine::settings s = {.nodes = 1, .child_concurrency = 4}) : engine_fixture(std::move(s)) {}

    void pass(duration time)
    {
        now += time;
        while (core->next_wake() <= now) {
            core->tick();
            core->decide();
        }
    }
    std::shared_ptr<fake_operation> add_patient(duration queue_timeout, std::size_t tasks = 1)
    {
        return add(tasks, {.options = {.queue_timeout = queue_timeout}, .total = tasks});
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_queue_timeout)

BOOST_FIXTURE_TEST_CASE(a_call_that_no_worker_takes_in_time_never_runs, fixture)
{
    auto op = add_patient(100ms);
    BOOST_TEST((core->next_wake() == now + 100ms));
    pass(99ms);
    BOOST_TEST(!op->completed);
    pass(1ms);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == timed_out);
    with_workers(1);
    run();
    BOOST_TEST(workers.executed.empty());
    BOOST_TEST(op->pulled == 0u);
    BOOST_TEST(!core->active());
}

BOOST_FIXTURE_TEST_CASE(a_call_whose_task_has_begun_takes_as_long_as_it_likes, fixture)
{
    with_workers(1);
    auto op = add_patient(100ms);
    begin(1);
    pass(1h);
    BOOST_TEST(!op->completed);
    BOOST_TEST((core->next_wake() == time_point::max()));
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
}

BOOST_FIXTURE_TEST_CASE(what_was_sent_behind_other_tasks_is_taken_back, fixture)
{
    with_workers(1);
    auto first_call = add(1);
    begin(1);
    auto op = add_patient(100ms);
    BOOST_TEST(held(1) == 2u);
    pass(100ms);
    BOOST_TEST(op->error_text() == timed_out);
    BOOST_TEST(workers.workers[1].back().keep == 0u);
    run();
    BOOST_TEST(first_call->completed);
    BOOST_TEST(workers.executed.size() == 1u);
}

// The engine took the worker for idle, and it is stopped.
BOOST_FIXTURE_TEST_CASE(what_a_worker_got_and_did_not_begin_has_not_begun, fixture)
{
    with_workers(1);
    auto op = add_patient(100ms);
    BOOST_TEST(held(1) == 1u);
    pass(100ms);
    BOOST_TEST(op->error_text() == timed_out);
    pass(200ms); // cancel_grace: a worker that does not even put the chunk away does not run at all
    BOOST_TEST(workers.replaced == std::vector<worker_id>{1});
}

BOOST_FIXTURE_TEST_CASE(a_task_that_begins_in_the_race_makes_the_timeout_void, fixture)
{
    with_workers(1);
    auto op = add(10, {.options = {.chunk_size = 5, .queue_timeout = 100ms}, .total = 10});
    now += 100ms;
    begin(1, 2); // the engine does not know yet
    core->tick();
    core->decide();
    BOOST_TEST(!op->completed);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->stored.size() == 10u);
    BOOST_TEST(workers.executed.size() == 10u);
}

BOOST_FIXTURE_TEST_CASE(a_task_that_had_begun_when_its_worker_died_counts, fixture)
{
    with_workers(1);
    auto op = add(1, {.options = {.queue_timeout = 100ms, .retries = 1}, .total = 1});
    begin(1);
    die(1);
    pass(100ms);
    BOOST_TEST(!op->completed);
    core->worker_ready(2);
    core->decide();
    finish(2);
    BOOST_TEST(!op->error);
    BOOST_TEST(op->completed);
}

BOOST_FIXTURE_TEST_CASE(a_stream_whose_first_task_has_begun_is_not_timed_out, fixture)
{
    with_workers(1);
    const operation_traits traits{.options = {.queue_timeout = 100ms}, .stream = true, .stops_at_failure = false};
    auto stream = add(5, traits);
    auto second = add(5, traits);
    begin(1);
    pass(100ms);
    BOOST_TEST(!stream->completed);
    BOOST_TEST(second->error_text() == timed_out);
    run();
    BOOST_TEST(stream->completed);
    BOOST_TEST(!stream->error);
    BOOST_TEST(workers.executed.size() == 5u);
}

BOOST_FIXTURE_TEST_CASE(a_deadline_that_comes_first_ends_it_as_a_deadline, fixture)
{
    auto op = add(1, {.options = {.deadline = 50ms, .queue_timeout = 100ms}});
    pass(50ms);
    BOOST_TEST(op->error_text() == make_error_code(errc::deadline_exceeded).message());
}

BOOST_FIXTURE_TEST_CASE(a_deadline_holds_when_the_queue_timeout_is_void, fixture)
{
    with_workers(1);
    auto op = add(1, {.options = {.deadline = 500ms, .queue_timeout = 100ms}});
    begin(1);
    pass(499ms);
    BOOST_TEST(!op->completed);
    pass(1ms);
    BOOST_TEST(op->error_text() == make_error_code(errc::deadline_exceeded).message());
}

BOOST_FIXTURE_TEST_CASE(no_limit_is_no_limit, fixture)
{
    auto op = add_patient(duration::max());
    BOOST_TEST((core->next_wake() == time_point::max()));
    pass(24h);
    BOOST_TEST(!op->completed);
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_for_room_is_timed_out_too)
{
    fixture f({.nodes = 1, .max_pending = 1, .on_overflow = overflow::wait});
    auto a = f.add_patient(duration::zero()), b = f.add_patient(100ms), c = f.add_patient(100ms),
         d = f.add_patient(duration::zero());
    BOOST_TEST(f.core->stats().waiting == 2u); // one may begin at once, one may wait
    f.pass(100ms);
    BOOST_TEST(b->error_text() == timed_out);
    BOOST_TEST(c->error_text() == timed_out);
    BOOST_TEST(f.core->stats().waiting == 0u);
    f.with_workers(1);
    f.run();
    BOOST_TEST(!a->error);
    BOOST_TEST(!d->error);
    BOOST_TEST(d->completed);
    BOOST_TEST(f.workers.executed.size() == 2u);
}

// However many they are, a turn of the loop ends a bounded number.
BOOST_FIXTURE_TEST_CASE(calls_whose_time_is_over_together_end_in_their_order_and_some_at_once, fixture)
{
    std::vector<const fake_operation*> ended;
    std::vector<std::shared_ptr<fake_operation>> all;
    for (int i = 0; i < 1000; ++i) {
        all.push_back(add_patient(100ms));
        all.back()->finish_line = &ended;
    }
    now += 100ms;
    core->tick();
    core->decide();
    BOOST_TEST(ended.size() >= 1u);
    BOOST_TEST(ended.size() <= 100u);
    BOOST_TEST((core->next_wake() <= now));
    pass(0ms);
    BOOST_TEST_REQUIRE(ended.size() == 1000u);
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(ended[i] == all[i].get());
}

BOOST_AUTO_TEST_SUITE_END()
