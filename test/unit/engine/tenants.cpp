// SPDX-License-Identifier: BSL-1.0
// Tenants share the workers: counted by a clock that is not real.
#include "engine/tenants.hpp"

#include <boost/test/unit_test.hpp>

#include "virtual_time.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

operation_traits of(std::uint64_t tenant, call_options options = {})
{
    options.tenant = {tenant};
    return {.options = options};
}

const std::string full = make_error_code(errc::queue_full).message();

/// A tenant that floods the pool beside one that makes a call now and then: how long the calls of that one wait.
std::vector<duration> waits_beside_a_flood(std::size_t nodes, duration task, std::uint64_t flooding,
                                           std::uint64_t modest)
{
    virtual_pool pool({.nodes = nodes});
    std::vector<std::shared_ptr<virtual_pool::call>> flood, calls;
    pool.at(0ms, [&] {
        for (int i = 0; i < 100'000; ++i)
            flood.push_back(pool.start(1, task, of(flooding)));
    });
    constexpr int count = 500;
    for (int i = 1; i <= count; ++i)
        pool.at(10ms * i, [&] { calls.push_back(pool.start(1, task, of(modest))); });
    pool.run_until(10ms * (count + 1));
    std::vector<duration> waits;
    for (const auto& call : calls)
        waits.push_back((call->ran ? call->begun : pool.now) - call->initiated);
    BOOST_TEST(waits.size() == static_cast<std::size_t>(count));
    return waits;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_tenants)

BOOST_AUTO_TEST_CASE(a_call_beside_a_flood_waits_for_two_tasks_at_most)
{
    for (const auto& [nodes, task] : {std::pair<std::size_t, duration>(1, 1ms), {1, 4ms}, {2, 100us}, {8, 1ms}})
        BOOST_TEST((quantile(waits_beside_a_flood(nodes, task, 1, 2), 0.99) <= 2 * task + 1ms),
                   nodes << " workers, tasks of " << task.count() << " ns");
}

BOOST_AUTO_TEST_CASE(without_tenants_it_waits_for_all_of_it)
{
    BOOST_TEST((quantile(waits_beside_a_flood(1, 1ms, 0, 0), 0.5) > 1s));
}

BOOST_AUTO_TEST_CASE(weights_are_parts_of_the_workers_time)
{
    // Whatever the tasks take, and whether they are calls or elements of a map.
    for (const auto& [first, second] : {std::pair<duration, duration>(1ms, 1ms), {1ms, 7ms}, {9ms, 2ms}, {20us, 3ms}})
        for (const bool ranges : {false, true}) {
            virtual_pool pool({.nodes = 2});
            pool.core->set_tenant({1}, {.weight = 3});
            pool.core->set_tenant({2}, {.weight = 1});
            std::vector<std::shared_ptr<virtual_pool::call>> calls;
            if (ranges) {
                calls.push_back(pool.start(10'000'000, first, of(1)));
                calls.push_back(pool.start(10'000'000, second, of(2)));
            } else {
                for (int i = 0; i < 40'000; ++i) {
                    calls.push_back(pool.start(1, first, of(1)));
                    if (i < 4000)
                        calls.push_back(pool.start(1, second, of(2)));
                }
            }
            pool.run_until(ranges ? 10s : std::min<duration>(5s, 15'000 * first));
            const double ratio =
                static_cast<double>(pool.worker_time[1].count()) / static_cast<double>(pool.worker_time[2].count());
            BOOST_TEST(ratio > 2.7, "tasks of " << first.count() << " and " << second.count()
                                                << " ns, ranges: " << ranges << ", ratio " << ratio);
            BOOST_TEST(ratio < 3.3, "tasks of " << first.count() << " and " << second.count()
                                                << " ns, ranges: " << ranges << ", ratio " << ratio);
        }
}

BOOST_AUTO_TEST_CASE(many_unknown_tenants_share_equally)
{
    virtual_pool pool({.nodes = 2});
    std::vector<std::shared_ptr<virtual_pool::call>> calls;
    for (std::uint64_t tenant = 1; tenant <= 100; ++tenant)
        for (std::uint64_t i = 0; i < 10 * tenant; ++i) // some want more than others
            calls.push_back(pool.start(1, 1ms, of(tenant)));
    pool.run_until(450ms);
    for (std::uint64_t tenant = 1; tenant <= 100; ++tenant) {
        BOOST_TEST((pool.worker_time[tenant] >= 7ms), "tenant " << tenant);
        BOOST_TEST((pool.worker_time[tenant] <= 11ms), "tenant " << tenant);
    }
}

BOOST_AUTO_TEST_CASE(who_comes_late_has_saved_up_nothing)
{
    virtual_pool pool({.nodes = 1});
    std::vector<std::shared_ptr<virtual_pool::call>> calls;
    const auto flood = [&](std::uint64_t tenant) {
        for (int i = 0; i < 10'000; ++i)
            calls.push_back(pool.start(1, 1ms, of(tenant)));
    };
    flood(1);
    pool.at(1s, [&] { flood(2); });
    pool.run_until(2s);
    BOOST_TEST((pool.worker_time[2] > 450ms));
    BOOST_TEST((pool.worker_time[2] < 550ms));
}

// Nobody can know how long a task takes before it has ended.
BOOST_AUTO_TEST_CASE(who_had_more_than_was_thought_lets_the_others_go_first)
{
    virtual_pool pool({.nodes = 1});
    std::vector<std::shared_ptr<virtual_pool::call>> calls;
    calls.push_back(pool.start(1, 500ms, of(1)));
    pool.at(400ms, [&] {
        for (int i = 0; i < 10'000; ++i) {
            calls.push_back(pool.start(1, 1ms, of(1)));
            calls.push_back(pool.start(1, 1ms, of(2)));
        }
    });
    pool.run_until(900ms);
    BOOST_TEST((pool.worker_time[2] > 390ms));
}

BOOST_AUTO_TEST_CASE(priority_goes_before_tenants)
{
    virtual_pool pool({.nodes = 1});
    std::vector<std::shared_ptr<virtual_pool::call>> low, high;
    low.push_back(pool.start(1, 1ms, of(1)));
    for (int i = 0; i < 10; ++i)
        low.push_back(pool.start(1, 1ms, of(2, {.prio = priority::low})));
    for (int i = 0; i < 100; ++i)
        high.push_back(pool.start(1, 1ms, of(1)));
    pool.run_until(90ms);
    BOOST_TEST((pool.worker_time[2] <= 1ms));
    pool.run_until(200ms);
    BOOST_TEST((pool.worker_time[2] == 10ms));
}

BOOST_AUTO_TEST_CASE(within_a_tenant_operations_take_turns)
{
    virtual_pool pool({.nodes = 1});
    auto large = pool.start(1000, 1ms, of(1, {.chunk_size = 1}));
    auto small = pool.start(5, 1ms, of(1, {.chunk_size = 1}));
    pool.run_until(20ms);
    BOOST_TEST(small->op->completed);
    BOOST_TEST(!large->op->completed);
}

BOOST_AUTO_TEST_CASE(cancelled_tasks_are_paid_for)
{
    virtual_pool pool({.nodes = 1});
    pool.core->set_tenant({1}, {});
    auto op = pool.start(1, 100ms, of(1));
    pool.at(10ms, [&] { pool.core->cancel(*op->op, asio::cancellation_type::partial); });
    pool.run_until(200ms);
    BOOST_TEST(op->op->completed);
    pool_stats stats;
    pool.core->measured()->tenants.add_to(stats);
    BOOST_TEST((stats.tenants.at(0).worker_time == 100ms));
}

// ---------------------------------------------------------------- bounds

BOOST_AUTO_TEST_CASE(no_more_tasks_of_a_tenant_run_at_once_than_may)
{
    engine_fixture f({.nodes = 4});
    f.with_workers(4);
    f.core->set_tenant({1}, {.max_running = 2});
    std::vector<std::shared_ptr<fake_operation>> calls;
    for (int i = 0; i < 10; ++i)
        calls.push_back(f.add(1, of(1)));
    const auto held = [&] { return f.held(1) + f.held(2) + f.held(3) + f.held(4); };
    BOOST_TEST(held() == 2u);
    auto other = f.add(1, of(2));
    BOOST_TEST(held() == 3u); // the others go on
    BOOST_TEST(f.core->stats().pending == 8u);
    f.finish(1);
    BOOST_TEST(held() == 3u);
    f.core->set_tenant({1}, {.max_running = 3});
    f.core->decide();
    BOOST_TEST(held() == 4u);
    f.run();
    for (const auto& call : calls)
        BOOST_TEST(call->completed);
    BOOST_TEST(other->completed);
    BOOST_TEST(!f.core->active());
}

// A thread that blocks in a task runs what it waits for, though its own task counts.
BOOST_AUTO_TEST_CASE(nested_calls_of_a_tenant_that_runs_as_much_as_it_may_run_in_the_thread_that_waits)
{
    engine_fixture f({.nodes = 2});
    f.workers.able.local = true;
    f.workers.able.can_kill = false;
    f.with_workers(2);
    f.core->set_tenant({1}, {.max_running = 1});
    auto outer = f.add(1, of(1));
    f.begin(1);
    auto inner = f.add(3, of(1, {.chunk_size = 1}));
    BOOST_TEST(f.held(2) == 0u);
    f.core->add_guest(9, *inner);
    f.core->decide();
    for (int i = 0; i < 3 && f.held(9) != 0; ++i)
        f.finish(9);
    BOOST_TEST(inner->completed);
    f.finish(1);
    BOOST_TEST(outer->completed);
}

BOOST_AUTO_TEST_CASE(a_cancelled_task_counts_until_its_worker_is_rid_of_it)
{
    engine_fixture f({.nodes = 2});
    f.with_workers(2);
    f.core->set_tenant({1}, {.max_running = 1});
    auto op = f.add(1, of(1));
    f.begin(1);
    f.core->cancel(*op, asio::cancellation_type::terminal);
    auto next = f.add(1, of(1));
    BOOST_TEST(op->completed);
    BOOST_TEST(f.held(2) == 0u);
    f.die(1, true);
    BOOST_TEST(f.held(2) == 1u);
    f.run();
    BOOST_TEST(next->completed);
}

BOOST_AUTO_TEST_CASE(a_tenant_that_has_too_much_waiting_is_refused_and_others_are_not)
{
    engine_fixture f({.nodes = 1});
    f.with_workers(1);
    f.core->set_tenant({1}, {.max_pending = 2});
    auto running = f.add(1, of(2));
    f.begin(1);
    std::vector<std::shared_ptr<fake_operation>> calls;
    for (int i = 0; i < 5; ++i)
        calls.push_back(f.add(1, of(1)));
    for (int i = 0; i < 5; ++i)
        BOOST_TEST((calls[static_cast<std::size_t>(i)]->error_text() == full) == (i >= 2));
    BOOST_TEST(!f.add(1, of(2))->completed);
    BOOST_TEST(f.core->stats().refused == 3u);
    f.run();
    BOOST_TEST(!f.add(1, of(1))->completed);
}

BOOST_AUTO_TEST_CASE(what_waits_for_room_among_its_own_holds_up_nobody)
{
    engine_fixture f({.nodes = 1, .on_overflow = overflow::wait});
    f.with_workers(1);
    f.core->set_tenant({1}, {.max_pending = 1});
    std::vector<std::shared_ptr<fake_operation>> calls;
    for (int i = 0; i < 6; ++i)
        calls.push_back(f.add(1, of(1)));
    BOOST_TEST(f.core->stats().waiting == 4u); // one may begin at once, one may wait
    auto other = f.add(1, of(2));
    f.core->cancel(*calls[4], asio::cancellation_type::total);
    f.core->decide();
    BOOST_TEST(f.core->stats().waiting == 3u);
    f.finish(1);
    f.finish(1);
    f.finish(1);
    BOOST_TEST(other->completed);
    BOOST_TEST(!calls.back()->completed);
    f.run();
    for (const auto& call : calls)
        BOOST_TEST(call->completed);
    BOOST_TEST(!calls.back()->error);
    BOOST_TEST(f.core->stats().waiting == 0u);
    BOOST_TEST(!f.core->active());
}

// ---------------------------------------------------------------- counters

BOOST_AUTO_TEST_CASE(known_tenants_are_counted_apart_and_the_others_together)
{
    engine_fixture f({.nodes = 1});
    f.with_workers(1);
    f.add(1, of(7));
    f.begin(1);
    f.core->set_tenant({7}, {.weight = 5});
    f.add(2, of(7, {.chunk_size = 1}));
    f.add(1, of(8));
    f.add(1, of(9));
    f.add(1, of(0));
    const auto stats = [&] {
        pool_stats s = f.core->stats();
        f.core->measured()->tenants.add_to(s);
        return s;
    };
    BOOST_TEST_REQUIRE(stats().tenants.size() == 1u);
    BOOST_TEST(stats().tenants[0].id.value == 7u);
    BOOST_TEST(stats().tenants[0].weight == 5u);
    BOOST_TEST(stats().tenants[0].pending + stats().tenants[0].running >= 2u);
    BOOST_TEST(stats().other_tenants.pending == 2u);
    f.now += 5ms;
    f.finish(1);
    f.now += 1ms;
    f.fail(1, "boom");
    f.run();
    BOOST_TEST(stats().tenants[0].done + stats().other_tenants.done + 1 == stats().done);
    BOOST_TEST(stats().tenants[0].failed + stats().other_tenants.failed == 1u);
    BOOST_TEST(stats().tenants[0].pending == 0u);
    BOOST_TEST(stats().tenants[0].running == 0u);
    BOOST_TEST(stats().other_tenants.pending == 0u);
    BOOST_TEST(stats().other_tenants.running == 0u);
    BOOST_TEST(stats().tenants[0].queue_wait.count() == 2u);
    BOOST_TEST((stats().tenants[0].worker_time >= 5ms));
    BOOST_TEST(stats().other_tenants.run_time.count() == 2u);
}

BOOST_AUTO_TEST_CASE(tenants_without_end_take_bounded_memory)
{
    engine_fixture f({.nodes = 1});
    f.with_workers(1);
    for (std::uint64_t tenant = 1; tenant <= 20'000; ++tenant) {
        f.add(1, of(tenant));
        f.finish(1);
    }
    BOOST_TEST(f.core->tenants() <= tenant_table::most_idle + 1);
    BOOST_TEST(f.core->stats().done == 20'000u);
}

BOOST_AUTO_TEST_CASE(one_that_comes_back_is_the_same)
{
    tenant_board board;
    tenant_table table(board);
    tenant_state& first = table.get({5});
    first.operations = 1;
    table.release(first);
    first.operations = 0;
    table.release(first);
    table.release(first);
    BOOST_TEST(&table.get({5}) == &first);
    first.operations = 1;
    for (std::uint64_t id = 10; id < 5000; ++id)
        table.release(table.get({id}));
    BOOST_TEST(&table.get({5}) == &first);
    BOOST_TEST(table.size() == tenant_table::most_idle + 1);
    first.operations = 0;
}

BOOST_AUTO_TEST_SUITE_END()
