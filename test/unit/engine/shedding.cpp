// SPDX-License-Identifier: BSL-1.0
// pool_options::shed: calls are refused by how long they wait.
#include "engine/codel.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

#include "virtual_time.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;

namespace {

constexpr load_shedding limits{.target = 5ms, .interval = 100ms};

const std::string full = make_error_code(errc::queue_full).message();

struct line
{
    codel delay;
    time_point now{std::chrono::hours(1)};

    /// One that has waited for so long leaves the line, so much later than the one before.
    bool leaves(duration waited, duration later = 1ms, bool last = false)
    {
        now += later;
        return delay.refuses(limits, now, waited, last);
    }
};

/// Calls that come at a steady rate, and how they fared.
struct load
{
    std::size_t accepted = 0, refused = 0;
    std::vector<duration> waits;
};

void offer(virtual_pool& pool, std::uint64_t tenant, duration from, duration to, duration each, duration task,
           std::vector<std::shared_ptr<virtual_pool::call>>& calls)
{
    for (duration when = from; when < to; when += each)
        pool.at(when, [&pool, &calls, tenant, task] {
            calls.push_back(pool.start(1, task, {.options = {.tenant = {tenant}}}));
        });
}

load count(const std::vector<std::shared_ptr<virtual_pool::call>>& calls)
{
    load found;
    for (const auto& call : calls) {
        if (call->op->error_text() == full)
            ++found.refused;
        else
            ++found.accepted;
        if (call->ran)
            found.waits.push_back(call->begun - call->initiated);
    }
    return found;
}

} // namespace

BOOST_AUTO_TEST_SUITE(test_shedding)

BOOST_FIXTURE_TEST_CASE(a_short_wait_is_never_refused, line)
{
    for (int i = 0; i < 10'000; ++i)
        BOOST_TEST_REQUIRE(!leaves(4ms));
}

BOOST_FIXTURE_TEST_CASE(a_burst_is_not_refused, line)
{
    for (int i = 0; i < 99; ++i)
        BOOST_TEST_REQUIRE(!leaves(50ms));
    BOOST_TEST(!leaves(4ms)); // the line was short in time
    for (int i = 0; i < 99; ++i)
        BOOST_TEST_REQUIRE(!leaves(50ms));
}

BOOST_FIXTURE_TEST_CASE(a_wait_that_stays_long_is_refused_more_and_more_often, line)
{
    std::vector<int> refused;
    for (int i = 0; i < 2000; ++i)
        if (leaves(50ms))
            refused.push_back(i);
    BOOST_TEST_REQUIRE(refused.size() > 20u);
    BOOST_TEST(refused[0] == 100);                           // an interval after the first one
    BOOST_TEST(refused[1] - refused[0] == 100);              // interval / sqrt(1)
    BOOST_TEST(std::abs(refused[2] - refused[1] - 71) <= 1); // interval / sqrt(2)
    BOOST_TEST(std::abs(refused[3] - refused[2] - 58) <= 1);
}

BOOST_FIXTURE_TEST_CASE(it_ends_with_the_first_short_wait, line)
{
    for (int i = 0; i < 1000; ++i)
        leaves(50ms);
    BOOST_TEST(!leaves(4ms));
    for (int i = 0; i < 99; ++i)
        BOOST_TEST_REQUIRE(!leaves(50ms));
}

BOOST_FIXTURE_TEST_CASE(who_waits_for_an_interval_is_refused_while_it_refuses, line)
{
    BOOST_TEST(!leaves(1s));
    while (!leaves(50ms)) {
    }
    BOOST_TEST(leaves(101ms));
    BOOST_TEST(leaves(1h));
    BOOST_TEST(!leaves(99ms));
}

BOOST_FIXTURE_TEST_CASE(the_last_one_in_line_is_not_refused, line)
{
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST_REQUIRE(!leaves(1s, 10ms, true));
}

// ---------------------------------------------------------------- in a pool

BOOST_AUTO_TEST_CASE(with_twice_the_load_waits_stay_short)
{
    virtual_pool pool({.nodes = 1, .shed = limits});
    std::vector<std::shared_ptr<virtual_pool::call>> calls;
    offer(pool, 1, 0ms, 20s, 500us, 1ms, calls);
    pool.run_until(21s);
    const load all = count(calls);
    BOOST_TEST(all.accepted > 19'000u); // the worker is never without work
    BOOST_TEST(all.refused > 18'000u);
    BOOST_TEST((quantile(all.waits, 0.99) <= limits.interval + 5ms));
    BOOST_TEST(pool.core->stats().refused == all.refused);
    BOOST_TEST(!pool.core->active());
}

BOOST_AUTO_TEST_CASE(a_load_that_the_workers_can_take_is_not_refused)
{
    virtual_pool pool({.nodes = 2, .shed = limits});
    std::vector<std::shared_ptr<virtual_pool::call>> calls;
    offer(pool, 1, 0ms, 5s, 600us, 1ms, calls);
    pool.run_until(6s);
    BOOST_TEST(count(calls).refused == 0u);
}

BOOST_AUTO_TEST_CASE(a_tenant_in_a_flood_of_another_is_not_refused)
{
    virtual_pool pool({.nodes = 1, .shed = limits});
    std::vector<std::shared_ptr<virtual_pool::call>> flood, modest;
    offer(pool, 1, 0ms, 10s, 300us, 1ms, flood);
    offer(pool, 2, 0ms, 10s, 10ms, 1ms, modest);
    pool.run_until(11s);
    BOOST_TEST(count(flood).refused > 10'000u);
    BOOST_TEST(count(modest).refused == 0u);
}

BOOST_AUTO_TEST_CASE(a_turn_of_the_loop_refuses_a_bounded_number)
{
    engine_fixture f({.nodes = 1, .shed = limits});
    std::vector<std::shared_ptr<fake_operation>> calls;
    for (int i = 0; i < 10'000; ++i)
        calls.push_back(f.add(1));
    f.now += 1h;
    f.with_workers(1);
    f.begin(1);
    f.now += 1s;
    std::size_t before = 0, turns = 0;
    while (f.core->stats().refused < 9000 && ++turns < 1000) {
        if (f.held(1) != 0)
            f.finish(1);
        f.core->tick();
        f.core->decide();
        BOOST_TEST_REQUIRE(f.core->stats().refused - before <= 128u);
        before = f.core->stats().refused;
    }
    BOOST_TEST(f.core->stats().refused >= 9000u);
}

BOOST_AUTO_TEST_SUITE_END()
