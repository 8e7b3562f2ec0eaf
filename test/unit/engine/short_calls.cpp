// SPDX-License-Identifier: BSL-1.0
// Calls of one task each, on threads: how many of them a worker holds goes by how long those before them took.
#include <boost/test/unit_test.hpp>

#include "fakes.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

struct short_calls_fixture : engine_fixture
{
    short_calls_fixture() { on_threads(1); }
    void on_threads(std::size_t nodes)
    {
        workers = fake_backend{};
        workers.able = {.local = true};
        reset({.nodes = nodes});
        with_workers(nodes);
    }
    std::shared_ptr<fake_operation> call(priority prio = priority::normal)
    {
        return add(1, {.options = {.prio = prio}, .call = true, .total = 1});
    }
    void calls(int count)
    {
        for (int i = 0; i < count; ++i)
            call();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_engine_short_calls, short_calls_fixture)

BOOST_AUTO_TEST_CASE(a_worker_holds_two_as_long_as_nothing_is_known)
{
    calls(20);
    BOOST_TEST(held(1) == 2u);
}

BOOST_AUTO_TEST_CASE(a_worker_holds_many_where_calls_are_short)
{
    calls(60);
    finish(1, no_position, 1us);
    BOOST_TEST(held(1) == workers.able.chunks_per_worker);
    run();
    BOOST_TEST(workers.executed.size() == 60u);
    BOOST_TEST(!core->active());
}

BOOST_AUTO_TEST_CASE(all_that_a_worker_holds_is_short)
{
    calls(60);
    finish(1, no_position, 300us);
    BOOST_TEST(held(1) == 4u);
}

BOOST_AUTO_TEST_CASE(one_long_call_is_remembered_for_a_while)
{
    calls(100);
    finish(1, no_position, 10ms);
    for (int i = 0; i < 10; ++i)
        finish(1, no_position, 1us);
    BOOST_TEST(held(1) == 2u);
    for (int i = 0; i < 60; ++i)
        finish(1, no_position, 1us);
    BOOST_TEST(held(1) > 2u);
}

BOOST_AUTO_TEST_CASE(behind_a_call_that_takes_long_no_others_queue_up)
{
    call();
    finish(1, no_position, 1us);
    calls(2);
    now += 10ms;
    calls(10);
    BOOST_TEST(held(1) == 2u);
}

BOOST_AUTO_TEST_CASE(an_idle_worker_gets_what_stands_behind_a_call_that_takes_long)
{
    on_threads(2);
    calls(2);
    finish(1, no_position, 1us);
    finish(2, no_position, 1us);
    calls(20);
    const std::size_t at_first = held(1);
    BOOST_TEST(at_first > 2u);
    begin(1);
    while (held(2) != 0)
        finish(2, no_position, 1us);
    // Worker 1 is still at the first one that it got.
    for (int i = 0; i < 100 && workers.executed.size() < 22; ++i) {
        now = std::max(now + 1us, std::min(core->next_wake(), now + 10ms));
        core->tick();
        core->decide();
        while (held(2) != 0)
            finish(2, no_position, 1us);
    }
    BOOST_TEST(workers.executed.size() == 22u);
}

BOOST_AUTO_TEST_CASE(a_call_of_higher_priority_does_not_wait_behind_them)
{
    call();
    finish(1, no_position, 1us);
    calls(20);
    begin(1);
    const auto urgent = call(priority::high);
    finish(1, no_position, 1us);
    while (!urgent->completed && workers.executed.size() < 5)
        finish(1, no_position, 1us);
    BOOST_TEST(urgent->completed);
    BOOST_TEST(workers.executed.size() < 5u);
}

BOOST_AUTO_TEST_CASE(calls_to_processes_wait_in_the_pool)
{
    workers = fake_backend{};
    reset({.nodes = 1});
    with_workers(1);
    calls(20);
    finish(1, no_position, 1us);
    BOOST_TEST(held(1) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
