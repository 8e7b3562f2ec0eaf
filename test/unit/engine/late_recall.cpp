// SPDX-License-Identifier: BSL-1.0
// Workers that cannot say at once what they have begun of a chunk that is taken back.
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include <boost/asio/error.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

operation_traits tasks(std::size_t total, call_options options = {})
{
    return {.options = options, .stops_at_failure = true, .total = total};
}

const std::string aborted = boost::asio::error::make_error_code(boost::asio::error::operation_aborted).message();

struct fixture : engine_fixture
{
    fixture()
    {
        workers.late = true;
        reset({.nodes = 2});
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_engine_late_recall, fixture)

BOOST_AUTO_TEST_CASE(an_idle_worker_waits_for_the_answer_and_asks_nobody_else_meanwhile)
{
    with_workers(1);
    auto op = add(40, tasks(40, {.chunk_size = 20}));
    begin(1);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(workers.asked.size() == 1u);
    for (int i = 0; i < 5; ++i) {
        finish(1, 1, 100ms); // it goes on, which is no reason to ask again
        BOOST_TEST(workers.asked.size() == 1u);
    }
    BOOST_TEST(held(2) == 0u);
    BOOST_TEST(answer());
    BOOST_TEST(held(2) != 0u);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 40u);
    BOOST_TEST(workers.executed.size() == 40u); // none was run twice
}

BOOST_AUTO_TEST_CASE(it_asks_another_one_if_there_was_nothing)
{
    reset({.nodes = 3});
    with_workers(2);
    auto op = add(4, tasks(4, {.chunk_size = 2}));
    begin(1, 2);
    begin(2, 1);
    core->worker_ready(3);
    core->decide();
    for (int i = 0; i < 2 && held(3) == 0; ++i)
        answer();
    BOOST_TEST(held(3) == 1u);
    run();
    BOOST_TEST(op->stored.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_was_asked_for_in_vain_is_run_where_it_is)
{
    with_workers(1);
    auto op = add(4, tasks(4, {.chunk_size = 4}));
    begin(1);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(workers.asked.size() == 1u);
    finish(1, 3, 100ms);
    begin(1, 2);
    BOOST_TEST(answer());
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->stored.size() == 4u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_goes_away_before_it_answers_loses_what_it_had_begun)
{
    with_workers(1);
    auto op = add(10, {.options = {.chunk_size = 10}, .stops_at_failure = false, .total = 10});
    begin(1);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(workers.asked.size() == 1u);
    die(1);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->failures.size() == 1u);
    BOOST_TEST(op->failures.at(0) == "died in 0");
    BOOST_TEST(op->stored.size() == 9u);
    core->recalled(1, 1, 5); // nobody is there any more
    auto next = add(2, tasks(2));
    core->worker_ready(3);
    core->decide();
    run();
    BOOST_TEST(next->completed); // no idle worker waits for that answer
}

BOOST_AUTO_TEST_CASE(a_failure_ends_a_map_when_it_is_known_what_runs)
{
    with_workers(2);
    auto op = add(20, tasks(20, {.chunk_size = 5}));
    begin(2);
    fail(1, "bad");
    BOOST_TEST(!workers.asked.empty());
    BOOST_TEST(!op->completed);
    while (answer()) {
    }
    finish(2);
    while (held(1) != 0)
        finish(1);
    while (held(2) != 0)
        finish(2);
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "bad");
    BOOST_TEST(workers.executed.size() <= 3u);
}

BOOST_AUTO_TEST_CASE(a_total_cancellation_waits_until_it_is_known_that_nothing_has_begun)
{
    with_workers(1);
    auto first_one = add(1, tasks(1));
    auto op = add(3, tasks(3));
    begin(1);
    core->cancel(*op, asio::cancellation_type::total);
    core->decide();
    BOOST_TEST(!op->completed);
    BOOST_TEST(workers.asked.size() == 1u);
    core->worker_ready(2);
    core->decide();
    BOOST_TEST(held(2) == 0u); // nothing of it is handed out meanwhile
    answer();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == aborted);
    run();
    BOOST_TEST(first_one->completed);
    BOOST_TEST(workers.executed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(and_has_no_effect_if_something_has)
{
    with_workers(1);
    auto op = add(3, tasks(3, {.chunk_size = 3}));
    begin(1);
    core->cancel(*op, asio::cancellation_type::total);
    core->decide();
    answer();
    BOOST_TEST(!op->completed);
    run();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "");
    BOOST_TEST(op->stored.size() == 3u);
}

BOOST_AUTO_TEST_CASE(or_if_an_outcome_comes_before_the_answer)
{
    with_workers(1);
    auto op = add(3, tasks(3, {.chunk_size = 3}));
    core->cancel(*op, asio::cancellation_type::total);
    core->decide();
    finish(1, 1);
    answer();
    run();
    BOOST_TEST(op->error_text() == "");
    BOOST_TEST(op->stored.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_queue_timeout_waits_for_the_answer_too)
{
    with_workers(1);
    auto first_one = add(1, tasks(1));
    auto op = add(1, tasks(1, {.queue_timeout = 50ms}));
    begin(1);
    now += 60ms;
    core->tick();
    core->decide();
    BOOST_TEST(!op->completed);
    answer();
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == make_error_code(errc::queue_timed_out).message());
    run();
    BOOST_TEST(first_one->completed);
}

BOOST_AUTO_TEST_CASE(a_terminal_cancellation_waits_for_nothing)
{
    with_workers(1);
    auto first_one = add(1, tasks(1));
    auto op = add(1, tasks(1));
    begin(1);
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(op->completed);
    now += 1s; // the worker is not killed for a chunk that it has not come to
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.empty());
    answer();
    BOOST_TEST(core->active()); // the first one
    run();
    BOOST_TEST(first_one->completed);
    BOOST_TEST(workers.executed.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
