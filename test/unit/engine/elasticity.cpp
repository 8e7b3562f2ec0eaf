// SPDX-License-Identifier: BSL-1.0
#include "engine/elasticity.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

#include "held_chunks.hpp"

using namespace twat::mp;
using namespace twat::mp::test::engines;
using detail::elasticity;
using detail::roster;

namespace {

/// Starts are thought to take 20 ms.
struct fixture : held_chunks
{
    roster crew;
    elasticity size{crew, 4, true};
    const elasticity::clock_type clock = [this] { return now; };

    explicit fixture(std::size_t nodes = 8, std::size_t kept = 1)
        : crew({.nodes = nodes, .min_nodes = kept, .idle_timeout = 100ms})
    {
        crew.start(now);
    }

    /// A map of which so many tasks wait.
    operation_state& waiting(std::size_t tasks, duration each, bool begun = true, operation_traits traits = {})
    {
        traits.total = 1000;
        auto& op = each == 0ms ? operation(traits) : operation_of(each, traits);
        op.exhausted = true;
        op.requeued_tasks = tasks;
        op.begun = begun;
        size.note_work(op);
        return op;
    }
    /// How many more are wanted if this goes on for so long.
    std::size_t grows(duration waited, std::size_t free = 0, bool wanted = true)
    {
        const std::size_t before = crew.wanted();
        size.grow_if_tasks_wait(free, wanted, clock); // looks for the first time
        now += waited;
        size.grow_if_tasks_wait(free, wanted, clock);
        return crew.wanted() - before;
    }
    /// Workers of the roster that are ready.
    void get_ready()
    {
        for (const roster::action& todo : crew.take_actions())
            if (todo.what == roster::action::launch) {
                crew.ready(todo.worker, now);
                worker().id = todo.worker;
            }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_elasticity)

BOOST_AUTO_TEST_CASE(as_many_as_there_is_work_for)
{
    struct row
    {
        const char* what;
        std::size_t tasks;
        duration each; // zero: nobody knows
        bool begun, coroutine;
        std::size_t max_concurrency, expected;
    };
    constexpr row table[] = {
        {"none that waits", 0, 1ms, true, false, 0, 0},
        {"a call that has not begun", 1, 0ms, false, false, 0, 1},
        {"tasks that nobody has measured", 3, 0ms, true, false, 0, 3},
        {"tasks that are through before a worker starts", 10, 1ms, true, false, 0, 0},
        {"tasks for one start", 25, 1ms, true, false, 0, 1},
        {"tasks for many", 60, 1ms, true, false, 0, 3},
        {"more than there are nodes", 1000, 20ms, true, false, 0, 7},
        {"coroutines, four in a worker", 9, 0ms, true, true, 0, 3},
        {"no more than may run at once", 100, 20ms, true, false, 2, 2},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            f.get_ready();
            operation_traits traits{.coroutine = r.coroutine};
            traits.options.max_concurrency = r.max_concurrency;
            f.waiting(r.tasks, r.each, r.begun, traits);
            BOOST_TEST(f.grows(20ms) == r.expected);
        }
}

BOOST_AUTO_TEST_CASE(not_before_tasks_have_waited_and_not_for_nothing)
{
    struct row
    {
        const char* what;
        duration waited;
        std::size_t free;
        bool wanted;
        std::size_t expected;
    };
    constexpr row table[] = {
        {"for as long as a start takes", 20ms, 0, true, 5},
        {"for less", 19ms, 0, true, 0},
        {"beside a free worker", 20ms, 1, true, 0},
        {"in a broken pool", 20ms, 0, false, 0},
    };
    for (const row& r : table)
        BOOST_TEST_CONTEXT(r.what)
        {
            fixture f;
            f.get_ready();
            f.waiting(5, 0ms);
            BOOST_TEST(f.grows(r.waited, r.free, r.wanted) == r.expected);
        }
}

BOOST_AUTO_TEST_CASE(at_once_where_there_is_nobody)
{
    fixture f(8, 0);
    f.waiting(5, 0ms);
    BOOST_TEST(f.grows(0ms) == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_on_its_way_counts)
{
    fixture f;
    f.get_ready();
    f.waiting(3, 0ms);
    BOOST_TEST(f.grows(20ms) == 3u);
    BOOST_TEST(f.grows(20ms) == 0u);
    BOOST_TEST((f.size.grows_at() == f.now + f.crew.start_time()));
}

BOOST_AUTO_TEST_CASE(a_pool_that_keeps_all_does_not_look)
{
    fixture f;
    f.get_ready();
    f.size.restart(false);
    auto& op = f.waiting(100, 0ms);
    BOOST_TEST(!op.list_hook<detail::unbegun_tag>::is_linked());
    BOOST_TEST(f.grows(1h) == 0u);
    auto& idle = f.worker();
    f.size.note_idle(idle, f.clock);
    BOOST_TEST((idle.idle_since == detail::time_point()));
}

BOOST_AUTO_TEST_CASE(idle_ones_are_sent_away_the_last_that_came_first)
{
    fixture f;
    f.get_ready();
    f.crew.grow(3, f.now);
    f.get_ready();
    for (const auto& w : f.workers)
        f.size.note_idle(*w, f.clock);
    f.give(*f.workers[3], f.operation(), 1); // is at work
    f.size.note_given(*f.workers[3]);
    std::vector<std::uint64_t> sent;
    const auto send = [&](ready_worker& w) {
        sent.push_back(w.order);
        w.retiring = true;
        f.crew.retire(w.id, f.now);
    };
    BOOST_TEST((f.size.shrinks_at() == f.now + 100ms));
    f.size.shrink_if_idle(f.workers, f.now + 99ms, send);
    BOOST_TEST(sent.empty());
    f.now += 100ms;
    f.size.shrink_if_idle(f.workers, f.now, send);
    const std::vector<std::uint64_t> expected{3, 2, 1}; // one is kept, which is the one at work
    BOOST_TEST(sent == expected, boost::test_tools::per_element());
    BOOST_TEST((f.size.shrinks_at() == detail::time_point::max()));
}

BOOST_AUTO_TEST_SUITE_END()
