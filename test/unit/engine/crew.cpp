// SPDX-License-Identifier: BSL-1.0
#include "engine/crew.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

#include "engine/idle_bound.hpp"
#include "engine/node_table.hpp"

using namespace std::chrono_literals;
using twat::mp::detail::crew;
using twat::mp::detail::idle_bound;
using twat::mp::detail::node_table;
using twat::mp::detail::time_point;
using twat::mp::detail::worker_id;
using phase = crew::phase;

namespace {

constexpr time_point now{1h};

} // namespace

BOOST_AUTO_TEST_SUITE(test_crew)

BOOST_AUTO_TEST_CASE(counts_who_is_ready_and_who_starts)
{
    struct row
    {
        phase from, to;
        std::size_t ready, starting;
    };
    constexpr row table[] = {
        {phase::starting, phase::ready, 1, 0}, {phase::starting, phase::ending, 0, 0},
        {phase::starting, phase::stuck, 0, 0}, {phase::ready, phase::ending, 0, 0},
        {phase::stuck, phase::ready, 1, 0},    {phase::ready, phase::ready, 1, 0},
        {phase::ending, phase::ending, 0, 0},
    };
    for (const row& r : table) {
        crew all;
        const worker_id id = all.launch(3, now, now + 1s);
        BOOST_TEST(all.starting().size() == 1u);
        if (r.from != phase::starting)
            all.become(id, *all.find(id), r.from);
        all.become(id, *all.find(id), r.to);
        BOOST_TEST(all.ready() == r.ready);
        BOOST_TEST(all.starting().size() == r.starting);
        all.remove(id);
        BOOST_TEST(all.ready() == 0u);
        BOOST_TEST(!all.find(id));
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_used_once)
{
    crew all;
    BOOST_TEST(all.launch(0, now, now) == 1u);
    all.remove(1);
    BOOST_TEST(all.launch(0, now, now) == 2u);
    all.join(9, crew::no_node, now); // has its number from elsewhere
    BOOST_TEST(all.launch(0, now, now) == 10u);
}

BOOST_AUTO_TEST_CASE(the_next_start_that_is_late)
{
    crew all;
    BOOST_TEST((all.next_due() == time_point::max()));
    all.launch(0, now, now + 3s);
    const worker_id second = all.launch(1, now, now + 2s);
    BOOST_TEST((all.next_due() == now + 2s));
    all.stop_waiting(second);
    BOOST_TEST((all.next_due() == now + 3s));
    all.become(second, *all.find(second), phase::stuck);
    all.start(second, now + 1s); // once more
    BOOST_TEST((all.next_due() == now + 1s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_node_table)

BOOST_AUTO_TEST_CASE(counts_what_is_wanted)
{
    node_table nodes(3);
    BOOST_TEST(nodes.set_wanted(1, true));
    BOOST_TEST(!nodes.set_wanted(1, true));
    BOOST_TEST(nodes.wanted() == 1u);
    nodes[1].had_one = true;
    BOOST_TEST(nodes.set_wanted(1, false));
    BOOST_TEST(nodes.wanted() == 0u);
    BOOST_TEST(!nodes[1].had_one); // its next worker replaces nobody
}

BOOST_AUTO_TEST_CASE(pauses)
{
    node_table nodes(3);
    nodes.pause(0, now + 2s);
    nodes.pause(1, now + 1s);
    nodes.pause(1, now + 3s); // anew
    BOOST_TEST((nodes.next_start() == now + 2s));
    BOOST_TEST(nodes.due(now + 1s).empty());
    BOOST_TEST(nodes.due(now + 3s).size() == 2u);
    nodes.pause(0, time_point::max());
    BOOST_TEST(nodes.due(now + 3s).size() == 1u);
    nodes.pause_none();
    BOOST_TEST((nodes.next_start() == time_point::max()));
}

BOOST_AUTO_TEST_CASE(nodes_that_are_gone_are_kept_for_their_workers)
{
    node_table nodes(3);
    nodes[2].current = 7;
    nodes.resize(1);
    BOOST_TEST(nodes.size() == 1u);
    BOOST_TEST(nodes.ever() == 3u);
    nodes.resize(4);
    BOOST_TEST(nodes[2].current == 7u);
    BOOST_TEST(nodes.ever() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(test_idle_bound)

BOOST_AUTO_TEST_CASE(doubles_where_work_comes_back_soon)
{
    struct row
    {
        twat::mp::duration shortest, comes_back_after, expected;
        int times;
    };
    constexpr row table[] = {
        {1s, 9s, 2s, 1}, {1s, 9s, 8s, 3}, {1s, 9s, 10s, 9}, {1s, 10s, 1s, 1}, {20s, 9s, 20s, 3},
    };
    for (const row& r : table) {
        idle_bound limit(r.shortest);
        for (int i = 0; i != r.times; ++i) {
            limit.retired(now);
            limit.wanted(now + r.comes_back_after);
        }
        BOOST_TEST((limit.get() == r.expected));
        limit.wanted(now + 1h); // nobody was ended meanwhile
        BOOST_TEST((limit.get() == r.expected));
        limit.retired(now);
        limit.wanted(now + 1h);
        BOOST_TEST((limit.get() == r.shortest));
    }
}

BOOST_AUTO_TEST_CASE(zero_is_no_limit)
{
    BOOST_TEST(!idle_bound({}).bounded());
    BOOST_TEST(idle_bound(1ms).bounded());
}

BOOST_AUTO_TEST_SUITE_END()
