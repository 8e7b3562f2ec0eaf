// SPDX-License-Identifier: BSL-1.0
#include "engine/fair_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <string>

using namespace twat::mp;
using twat::mp::detail::fair_queue;
using twat::mp::detail::lane;
using twat::mp::detail::queued;

namespace {

struct caller : queued
{
    explicit caller(std::string name) : name(std::move(name)) {}
    std::string name;
};

struct fixture
{
    std::deque<caller> callers;
    lane a, b, c; // outlive the queue, as callers do
    fair_queue<caller> queue;

    void add(lane& to, const char* name) { queue.push_back(callers.emplace_back(name), to); }

    /// Whose turns come next, if each turn takes `time`.
    std::string turns(std::size_t count, double time = 1)
    {
        std::string names;
        for (caller* next; count != 0 && (next = queue.front(priority::normal)); --count) {
            names += next->name;
            lane& from = next->name[0] == 'a' ? a : next->name[0] == 'b' ? b : c;
            queue.remove(*next, from);
            queue.serve(from, priority::normal, time);
        }
        return names;
    }
    void flood(lane& to, const char* name, int count = 20)
    {
        for (int i = 0; i < count; ++i)
            add(to, name);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_fair_queue)

BOOST_FIXTURE_TEST_CASE(lanes_take_turns, fixture)
{
    flood(a, "a"), flood(b, "b"), flood(c, "c");
    BOOST_TEST(turns(7) == "abcabca");
}

BOOST_FIXTURE_TEST_CASE(one_that_comes_late_is_next_and_has_saved_up_nothing, fixture)
{
    flood(a, "a");
    BOOST_TEST(turns(5) == "aaaaa");
    flood(b, "b");
    BOOST_TEST(turns(5) == "babab");
}

BOOST_FIXTURE_TEST_CASE(one_that_took_longer_than_was_thought_lets_others_go_first, fixture)
{
    flood(a, "a"), flood(b, "b");
    BOOST_TEST(turns(2) == "ab");
    queue.charge(a, 3);
    BOOST_TEST(turns(6) == "bbbaba"); // paid off
}

BOOST_FIXTURE_TEST_CASE(debts_outlast_an_empty_line, fixture)
{
    add(a, "a"), flood(b, "b");
    BOOST_TEST(turns(2) == "ab");
    queue.charge(a, 3);
    flood(a, "a");
    BOOST_TEST(turns(5) == "bbbab");
}

BOOST_FIXTURE_TEST_CASE(a_lane_that_is_held_back_gets_no_turn, fixture)
{
    flood(a, "a"), flood(b, "b", 2);
    queue.hold_back(a, priority::normal, true);
    BOOST_TEST(turns(5) == "bb");
    BOOST_TEST(queue.empty());
    add(a, "a");
    BOOST_TEST(queue.empty());
    queue.hold_back(a, priority::normal, false);
    BOOST_TEST(turns(2) == "aa");
}

BOOST_AUTO_TEST_SUITE_END()
