// SPDX-License-Identifier: BSL-1.0
// call_options::retry: tasks that throw are run again.
#include "engine/engine.hpp"
#include "engine/retry_plan.hpp"

#include <boost/exception/get_error_info.hpp>
#include <boost/test/unit_test.hpp>

#include <twat/mp/detail/exception/annotate.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

const retry_policy three_times{.attempts = 3, .backoff = 100ms, .jitter = 0};

struct fixture : engine_fixture
{
    fixture() : engine_fixture({.nodes = 1}) { with_workers(1); }

    void pass(duration time)
    {
        now += time;
        while (core->next_wake() <= now) {
            core->tick();
            core->decide();
        }
    }

    std::shared_ptr<fake_operation> add_retried(retry_policy policy, std::size_t tasks = 1, bool stops = true,
                                                duration deadline = {})
    {
        return add(tasks, {.options = {.chunk_size = 1, .deadline = deadline, .retry = policy},
                           .stops_at_failure = stops,
                           .total = tasks});
    }

    /// The worker runs the task that it holds, which throws.
    void throw_one()
    {
        begin(1);
        auto& h = workers.workers[1].front();
        const chunk_id id = h.work->id;
        core->task_failed(1, id, h.finished++,
                          annotate(std::make_exception_ptr(std::runtime_error("busy")), h.work->first));
        std::erase_if(workers.workers[1], [&](auto& x) { return x.work->id == id; });
        core->chunk_ended(1, id, 1ms);
        core->decide();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_retrying)

BOOST_AUTO_TEST_CASE(pauses_double_and_jitter)
{
    struct
    {
        retry_policy policy;
        std::size_t attempt;
        double chance;
        duration pause;
    } table[] = {
        {{.backoff = 100ms, .jitter = 0}, 1, 0, 100ms},
        {{.backoff = 100ms, .jitter = 0}, 2, 1, 200ms},
        {{.backoff = 100ms, .jitter = 0}, 5, 0.5, 1600ms},
        {{.backoff = 100ms, .jitter = 0.25}, 1, 0, 75ms},
        {{.backoff = 100ms, .jitter = 0.25}, 1, 1, 125ms},
        {{.backoff = 100ms, .jitter = 1}, 2, 0, 0ms},
        {{.backoff = 0ms, .jitter = 1}, 9, 1, 0ms},
        {{.backoff = 100ms, .jitter = 0}, 100000, 0, 1h},
        {{.backoff = duration::max(), .jitter = 1}, 3, 1, 2h},
    };
    for (const auto& row : table)
        BOOST_TEST((pause_after(row.policy, row.attempt, row.chance) == row.pause));
}

BOOST_AUTO_TEST_CASE(attempts_and_the_deadline_bound_it)
{
    const time_point now{1h};
    BOOST_TEST((next_attempt(three_times, 1, now, time_point::max(), 0) == now + 100ms));
    BOOST_TEST((next_attempt(three_times, 2, now, time_point::max(), 0) == now + 200ms));
    BOOST_TEST(!next_attempt(three_times, 3, now, time_point::max(), 0));
    BOOST_TEST(!next_attempt({}, 1, now, time_point::max(), 0));
    BOOST_TEST((next_attempt(three_times, 1, now, now + 101ms, 0) == now + 100ms));
    BOOST_TEST(!next_attempt(three_times, 1, now, now + 100ms, 0));
}

BOOST_FIXTURE_TEST_CASE(a_task_is_run_again_after_its_pause_and_holds_no_worker_meanwhile, fixture)
{
    auto op = add_retried(three_times);
    throw_one();
    BOOST_TEST(!op->completed);
    BOOST_TEST(workers.workers[1].empty());
    auto other = add(1);
    begin(1);
    finish(1);
    BOOST_TEST(other->completed);
    pass(99ms);
    BOOST_TEST(workers.workers[1].empty());
    pass(1ms);
    BOOST_TEST(workers.workers[1].size() == 1u);
    begin(1);
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(!op->error);
    BOOST_TEST(core->stats().retried == 1u);
    BOOST_TEST(core->stats().failed == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_last_exception_arrives_and_says_how_many_there_were, fixture)
{
    auto op = add_retried(three_times);
    throw_one();
    pass(100ms);
    throw_one();
    pass(200ms);
    throw_one();
    BOOST_TEST_REQUIRE(op->completed);
    BOOST_TEST(op->error_text() == "busy");
    try {
        std::rethrow_exception(op->error);
    }
    catch (const boost::exception& e) {
        const std::size_t* attempts = boost::get_error_info<errinfo_attempts>(e);
        BOOST_TEST_REQUIRE(attempts);
        BOOST_TEST(*attempts == 3u);
    }
    BOOST_TEST(core->stats().failed == 1u);
    BOOST_TEST(core->stats().retried == 2u);
}

BOOST_FIXTURE_TEST_CASE(an_exception_that_the_policy_does_not_name_arrives_at_once, fixture)
{
    auto op = add_retried({.attempts = 3, .on = retry_on::transient});
    throw_one();
    BOOST_TEST(op->error_text() == "busy");
}

BOOST_FIXTURE_TEST_CASE(what_waits_is_dropped_with_its_operation, fixture)
{
    auto op = add_retried(three_times, 1, false);
    throw_one();
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(op->completed);
    BOOST_TEST(!core->active());
    BOOST_TEST((core->next_wake() == time_point::max()));
    pass(1h);
    BOOST_TEST(workers.workers[1].empty());
}

BOOST_FIXTURE_TEST_CASE(an_attempt_beyond_the_deadline_is_not_waited_for, fixture)
{
    auto op = add_retried(three_times, 1, true, 250ms);
    throw_one();
    pass(100ms);
    throw_one(); // the next one would begin at 300 ms
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "busy");
}

BOOST_FIXTURE_TEST_CASE(a_failure_of_another_task_ends_what_waits, fixture)
{
    auto op = add_retried({.attempts = 2, .backoff = 100ms, .jitter = 0}, 2);
    throw_one();
    throw_one();
    BOOST_TEST(!op->completed);
    pass(100ms);
    throw_one(); // its second attempt
    BOOST_TEST(op->completed);
    BOOST_TEST(op->error_text() == "busy");
}

BOOST_FIXTURE_TEST_CASE(an_idle_stream_whose_task_waits_keeps_the_pool_at_work, fixture)
{
    auto op = add(1, {.options = {.retry = three_times}, .stream = true, .stops_at_failure = false, .total = 1});
    throw_one();
    BOOST_TEST(core->active());
    pass(100ms);
    begin(1);
    finish(1);
    BOOST_TEST(op->stored.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
