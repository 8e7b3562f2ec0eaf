// SPDX-License-Identifier: BSL-1.0
#include "engine/recycling.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

#include "engine/retries.hpp"
#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::recycling;
using detail::time_point;

BOOST_AUTO_TEST_SUITE(test_recycling)

BOOST_AUTO_TEST_CASE(when_a_successor_is_asked_for)
{
    struct row
    {
        std::size_t max_tasks;
        duration max_age;
        double jitter;
        std::size_t from_tasks, to_tasks;
        duration from_age, to_age; // zero: never
    };
    constexpr std::size_t never = detail::no_position;
    constexpr row table[] = {
        {0, 0s, 0.5, never, never, 0s, 0s},
        {100, 0s, 0, 100, 100, 0s, 0s},
        {100, 0s, 0.2, 80, 100, 0s, 0s},
        {1, 0s, 1, 1, 1, 0s, 0s},
        {0, 10s, 0, never, never, 10s, 10s},
        {0, 10s, 0.2, never, never, 8s, 10s},
        {0, duration::max(), 0, never, never, 0s, 0s},
    };
    for (const row& r : table) {
        held_chunks f;
        recycling plan({.max_tasks_per_child = r.max_tasks, .max_age_per_child = r.max_age, .jitter = r.jitter});
        std::set<std::size_t> shares;
        for (int i = 0; i != 50; ++i) {
            auto& worker = f.worker();
            plan.plan(worker, f.now);
            BOOST_TEST(worker.share >= r.from_tasks);
            BOOST_TEST(worker.share <= r.to_tasks);
            const time_point due = worker.age.due();
            BOOST_TEST((due == time_point::max()) == (r.from_age == 0s));
            if (r.from_age != 0s)
                BOOST_TEST((due >= f.now + r.from_age && due <= f.now + r.to_age));
            shares.insert(worker.share);
            BOOST_TEST((plan.next() <= due));
        }
        BOOST_TEST((shares.size() > 1) == (r.from_tasks != r.to_tasks)); // each at a moment of its own
    }
}

BOOST_AUTO_TEST_CASE(old_workers_come_in_turn)
{
    held_chunks f;
    recycling plan({.max_age_per_child = 10s});
    auto& first = f.worker();
    auto& second = f.worker();
    plan.plan(first, f.now);
    plan.plan(second, f.now + 1s);
    BOOST_TEST(!plan.take_due(f.now + 9s));
    BOOST_TEST(plan.take_due(f.now + 10s) == &first);
    BOOST_TEST(!plan.take_due(f.now + 10s));
    plan.forget(second);
    BOOST_TEST((plan.next() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(few_at_a_time)
{
    constexpr struct
    {
        std::size_t under_way, nodes;
        bool another;
    } table[] = {{0, 1, true}, {1, 1, false}, {0, 8, true}, {1, 8, false}, {1, 16, true}, {2, 16, false}};
    for (const auto& row : table)
        BOOST_TEST(recycling::may_recycle_another(row.under_way, row.nodes) == row.another);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_retries)

BOOST_AUTO_TEST_CASE(when_a_task_is_run_again)
{
    struct row
    {
        const char* what;
        std::size_t failures;
        duration deadline;
        bool stopping;
        std::optional<duration> pause;
    };
    const row table[] = {
        {"the first time", 1, 1h, false, 10ms},        {"the second time", 2, 1h, false, 20ms},
        {"it had all its attempts", 3, 1h, false, {}}, {"it would begin too late", 2, 20ms, false, {}},
        {"nobody wants it", 1, 1h, true, {}},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            held_chunks f;
            operation_traits traits;
            traits.options.retry = {.attempts = 3, .backoff = 10ms, .jitter = 0};
            auto& op = f.operation(traits);
            op.deadline = f.now + r.deadline;
            op.stopping = r.stopping;
            const auto due = detail::retries(1).next_attempt(op, r.failures, f.now);
            BOOST_TEST((due == (r.pause ? std::optional(f.now + *r.pause) : std::nullopt)));
        }
}

BOOST_AUTO_TEST_CASE(tasks_wait_for_their_next_attempt)
{
    held_chunks f;
    detail::retries all(1);
    detail::delayed_chunk waits(f.operation(), nullptr);
    all.add(waits, f.now + 5ms);
    BOOST_TEST((all.next() == f.now + 5ms));
    BOOST_TEST(!all.take_due(f.now + 4ms));
    BOOST_TEST(all.take_due(f.now + 5ms) == &waits);
    BOOST_TEST((all.next() == time_point::max()));
}

BOOST_AUTO_TEST_SUITE_END()
