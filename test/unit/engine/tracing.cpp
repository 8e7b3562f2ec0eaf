// SPDX-License-Identifier: BSL-1.0
#include "engine/engine.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

struct fixture : engine_fixture
{
    std::vector<trace_event> seen;

    fixture()
    {
        engine::settings s{.nodes = 2, .child_concurrency = 4};
        s.trace = [this](trace_event e, worker_id worker) {
            e.worker = worker;
            seen.push_back(e);
        };
        reset(s);
    }

    /// What was told, a word for each event: "ready:1 added:1 begun:1/1 ended:1/1 over:1".
    std::string words() const
    {
        std::string out;
        for (const trace_event& e : seen) {
            const std::string of_chunk = std::to_string(e.chunk) + "@" + std::to_string(e.worker);
            switch (e.what) {
            case trace_event::worker_ready: out += "ready:" + std::to_string(e.worker); break;
            case trace_event::worker_gone: out += "gone:" + std::to_string(e.worker) + mark(e); break;
            case trace_event::operation_added: out += "added:" + std::to_string(e.operation); break;
            case trace_event::operation_ended: out += "over:" + std::to_string(e.operation) + mark(e); break;
            case trace_event::chunk_begun: out += "begun:" + of_chunk; break;
            case trace_event::chunk_ended: out += "ended:" + of_chunk + mark(e); break;
            case trace_event::task_used: out += "used:" + of_chunk; break;
            }
            out += ' ';
        }
        return out;
    }

    static std::string mark(const trace_event& e)
    {
        static constexpr const char* names[] = {"", "!failed", "!timed_out", "!died", "!cancelled"};
        return names[static_cast<int>(e.outcome)];
    }
};

operation_traits map_of(std::size_t total, call_options options = {}) { return {.options = options, .total = total}; }

} // namespace

BOOST_AUTO_TEST_SUITE(test_engine_tracing)

BOOST_FIXTURE_TEST_CASE(an_operation_is_told_from_its_call_to_its_end, fixture)
{
    with_workers(1);
    now += 1s;
    add(4, map_of(4, {.chunk_size = 2, .label = "work"}));
    now += 5ms;
    finish(1);
    finish(1);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 ended:1@1 begun:2@1 ended:2@1 over:1 ");
    const trace_event& begun = seen[2];
    BOOST_TEST(begun.count == 2u);
    BOOST_TEST(begun.first == 0u);
    BOOST_TEST(begun.label == "work");
    const trace_event& second = seen[5];
    BOOST_TEST(second.first == 2u);
    BOOST_TEST((seen[3].took == 5ms));
    BOOST_TEST((second.took == 0ms));
    BOOST_TEST((seen[6].took == 5ms));
    BOOST_TEST(seen[6].count == 4u);
}

BOOST_FIXTURE_TEST_CASE(failures_are_counted, fixture)
{
    with_workers(1);
    operation_traits traits = map_of(2, {.chunk_size = 2});
    traits.stops_at_failure = false;
    add(2, traits);
    fail(1, "no");
    finish(1);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 ended:1@1!failed over:1!failed ");
    BOOST_TEST(seen[3].failed == 1u);
    BOOST_TEST(seen[4].failed == 1u);
    BOOST_TEST(seen[4].count == 2u);
}

BOOST_FIXTURE_TEST_CASE(outcomes_that_come_together_are_told_as_others_are, fixture)
{
    with_workers(1);
    operation_traits traits = map_of(4, {.chunk_size = 4});
    traits.stops_at_failure = false;
    auto op = add(4, traits);
    op->unreadable = {2};
    core->tasks_finished(1, first(1).work->id, 0, 4, nullptr);
    core->decide();
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 ended:1@1!failed over:1!failed ");
    BOOST_TEST(seen[3].count == 4u);
    BOOST_TEST(seen[3].failed == 1u);
    BOOST_TEST(seen[4].count == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_death_ends_the_chunk_before_the_worker, fixture)
{
    with_workers(1);
    add(10, map_of(10, {.chunk_size = 5}));
    begin(1, 2);
    finish(1, 1);
    now += 8ms;
    die(1);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 ended:1@1!died gone:1!died over:1!died ");
    BOOST_TEST(seen[3].count == 2u); // the others go elsewhere, or nowhere
    BOOST_TEST(seen[3].failed == 1u);
    BOOST_TEST((seen[3].took == 8ms));
    BOOST_TEST(core->stats().lost == 1u);
    BOOST_TEST((core->measured()->run_time.snapshot().sum() == 8ms));
}

BOOST_FIXTURE_TEST_CASE(a_timeout_is_told_from_a_death, fixture)
{
    with_workers(1);
    add(1, map_of(1, {.timeout = 10ms}));
    begin(1);
    workers.runs = backend::running_task{0, now};
    now += 11ms;
    core->tick();
    core->decide();
    now += 200ms;
    core->tick();
    core->decide();
    BOOST_TEST(workers.replaced.size() == 1u);
    die(1, true);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 over:1!timed_out ended:1@1!timed_out gone:1 ");
    BOOST_TEST(core->stats().timed_out == 1u);
    BOOST_TEST(core->stats().lost == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_nobody_waits_for_is_cancelled, fixture)
{
    with_workers(1);
    auto op = add(1, map_of(1));
    begin(1);
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    finish(1);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 over:1!cancelled ended:1@1!cancelled ");
}

BOOST_FIXTURE_TEST_CASE(what_a_thread_finishes_for_nobody_is_cancelled, fixture)
{
    workers.able.can_kill = false;
    with_workers(1);
    auto op = add(1, map_of(1));
    begin(1);
    core->cancel(*op, asio::cancellation_type::terminal);
    core->decide();
    BOOST_TEST(!op->completed); // it is waited for
    finish(1);
    BOOST_TEST(op->completed);
    BOOST_TEST(core->stats().cancelled == 1u);
    BOOST_TEST(core->stats().done == 0u);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 ended:1@1!cancelled over:1!cancelled ");
}

BOOST_FIXTURE_TEST_CASE(what_begins_ends_also_when_the_workers_are_forgotten, fixture)
{
    with_workers(2);
    add(2, map_of(2));
    begin(1);
    core->stop_all([] { return std::make_exception_ptr(std::runtime_error("terminated")); });
    core->forget_workers();
    core->decide();
    std::size_t open = 0;
    for (const trace_event& e : seen)
        open += (e.what == trace_event::chunk_begun) - (e.what == trace_event::chunk_ended);
    BOOST_TEST(open == 0u);
    BOOST_TEST(seen.back().what == trace_event::worker_gone);
}

BOOST_FIXTURE_TEST_CASE(coroutine_tasks_overlap, fixture)
{
    with_workers(1);
    operation_traits traits = map_of(2);
    traits.coroutine = true;
    add(2, traits);
    finish(1);
    finish(1);
    BOOST_TEST(words() == "ready:1 added:1 begun:1@1 begun:2@1 ended:1@1 ended:2@1 over:1 ");
    BOOST_TEST(seen[2].coroutine);
}

BOOST_FIXTURE_TEST_CASE(begin_and_end_are_what_the_worker_saw, fixture)
{
    with_workers(1);
    const time_point before = now;
    auto op = add(2, map_of(2, {.chunk_size = 1}));
    BOOST_REQUIRE(held(1) == 2u);
    const chunk_id one = workers.workers[1][0].work->id, two = workers.workers[1][1].work->id;
    workers.looked[one] = {before + 10ms, before + 60ms};
    workers.looked[two] = {before + 61ms, before + 90ms};
    now += 1s; // the loop was away
    finish(1);
    finish(1);
    BOOST_TEST(op->completed);
    std::vector<trace_event> begun, ended;
    for (const trace_event& e : seen)
        if (e.what == trace_event::chunk_ended || e.what == trace_event::chunk_begun)
            (e.what == trace_event::chunk_ended ? ended : begun).push_back(e);
    BOOST_REQUIRE(ended.size() == 2u);
    BOOST_TEST((ended[0].took == 50ms && ended[0].when == before + 60ms));
    BOOST_TEST((ended[1].took == 29ms && ended[1].when == before + 90ms));
    BOOST_TEST((begun[1].when == before + 61ms));
    BOOST_TEST((core->measured()->queue_wait.snapshot().sum() == 10ms));
    BOOST_TEST((core->measured()->run_time.snapshot().sum() == 79ms));
}

BOOST_FIXTURE_TEST_CASE(waits_and_run_times_are_measured, fixture)
{
    auto first = add(1, map_of(1));
    now += 30ms;
    with_workers(1);
    now += 2ms;
    finish(1);
    const histogram wait = core->measured()->queue_wait.snapshot(), run = core->measured()->run_time.snapshot();
    BOOST_TEST(wait.count() == 1u);
    BOOST_TEST((wait.sum() == 30ms));
    BOOST_TEST(run.count() == 1u);
    BOOST_TEST((run.sum() == 2ms));
    BOOST_TEST(first->completed);
}

BOOST_FIXTURE_TEST_CASE(who_comes_later_is_told_what_there_is, fixture)
{
    with_workers(1);
    operation_traits traits = map_of(2, {.chunk_size = 2, .tenant = {7}, .label = "work"});
    traits.stops_at_failure = false;
    const auto begun = now;
    add(2, traits);
    now += 5ms;
    seen.clear();
    std::vector<observed_failure> failures;
    core->set_observers(
        [this](const trace_event& e, worker_id worker) {
            seen.push_back(e);
            seen.back().worker = worker;
        },
        [&](const observed_failure& f, worker_id worker) {
            failures.push_back(f);
            failures.back().worker = worker;
        });
    core->describe([this](const trace_event& e, worker_id worker) {
        seen.push_back(e);
        seen.back().worker = worker;
    });
    BOOST_TEST(words() == "ready:1 begun:1@1 ");
    BOOST_TEST((seen[1].when == begun));
    BOOST_TEST(seen[1].tenant.value == 7u);
    BOOST_TEST(failures.empty());
    finish(1, 1);
    fail(1, "no");
    BOOST_REQUIRE(failures.size() == 1u);
    BOOST_TEST(failures[0].index == 1u);
    BOOST_TEST(failures[0].worker == 1u);
    BOOST_TEST(failures[0].tenant.value == 7u);
    BOOST_TEST(failures[0].label == "work");
    BOOST_CHECK_THROW(std::rethrow_exception(failures[0].error), std::runtime_error);
}

BOOST_FIXTURE_TEST_CASE(what_waits_for_a_host_begins_when_one_takes_it, fixture)
{
    workers.able.hosts = true;
    with_workers(1);
    add(4, map_of(4, {.chunk_size = 2}));
    BOOST_TEST(words() == "ready:1 added:1 ");
    const auto amsel = std::make_shared<const std::string>("amsel");
    const auto fink = std::make_shared<const std::string>("fink");
    now += 5ms;
    core->chunk_taken(1, 2, {fink, 1}); // the second one is on its way to another host meanwhile
    BOOST_TEST(words() == "ready:1 added:1 begun:2@1 ");
    BOOST_TEST(seen.back().host == "fink");
    BOOST_TEST((seen.back().when == now));
    now += 5ms;
    core->chunk_taken(1, 1, {amsel, 0});
    core->chunk_taken(1, 1, {fink, 0}); // nothing new
    BOOST_TEST(seen.back().host == "amsel");
    now += 5ms;
    core->task_finished(1, 2, 0, nullptr);
    core->task_finished(1, 2, 1, nullptr);
    workers.workers[1].pop_back();
    core->chunk_ended(1, 2, 1ms);
    core->decide();
    BOOST_TEST((seen.back().took == 10ms));
    finish(1);
    BOOST_TEST(words() == "ready:1 added:1 begun:2@1 begun:1@1 ended:2@1 ended:1@1 over:1 ");
    BOOST_TEST(seen[5].host == "amsel");
    BOOST_TEST((seen[5].took == 5ms)); // since it was taken
}

BOOST_FIXTURE_TEST_CASE(who_comes_later_is_told_what_hosts_have_taken, fixture)
{
    workers.able.hosts = true;
    with_workers(1);
    add(4, map_of(4, {.chunk_size = 2}));
    core->chunk_taken(1, 2, {std::make_shared<const std::string>("fink"), 3});
    std::string told;
    core->describe([&](const trace_event& e, worker_id) {
        if (e.what == trace_event::chunk_begun)
            told += std::to_string(e.chunk) + " on " + e.host + ' ' + std::to_string(e.worker);
    });
    BOOST_TEST(told == "2 on fink 3");
}

BOOST_AUTO_TEST_SUITE_END()
