// SPDX-License-Identifier: BSL-1.0
#include "engine/run_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <string>

using namespace twat::mp;
using twat::mp::detail::queued;
using twat::mp::detail::run_queue;

namespace {

struct caller : queued
{
    caller(std::string name, priority p) : name(std::move(name)) { prio = p; }
    std::string name;
};

struct fixture
{
    std::deque<caller> callers; // outlive the queue
    run_queue<caller> queue;

    caller& add(const char* name, priority prio = priority::normal)
    {
        queue.push_back(callers.emplace_back(name, prio));
        return callers.back();
    }
    std::string all()
    {
        std::string names;
        while (caller* next = queue.front()) {
            names += next->name;
            queue.remove(*next);
        }
        return names;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_run_queue)

BOOST_FIXTURE_TEST_CASE(the_first_to_come_is_the_first_to_go, fixture)
{
    add("a"), add("b"), add("c");
    BOOST_TEST(all() == "abc");
}

BOOST_FIXTURE_TEST_CASE(a_higher_priority_goes_first, fixture)
{
    add("l", priority::low), add("n"), add("h", priority::high), add("m"), add("i", priority::high);
    BOOST_TEST(all() == "hinml");
}

BOOST_FIXTURE_TEST_CASE(one_can_leave_from_the_middle_and_come_back, fixture)
{
    add("a");
    caller& b = add("b");
    add("c");
    queue.remove(b);
    BOOST_TEST(queue.size() == 2u);
    queue.push_back(b);
    BOOST_TEST(all() == "acb");
    queue.push_back(b);
    BOOST_TEST(all() == "b");
}

BOOST_FIXTURE_TEST_CASE(an_empty_queue_has_no_front, fixture)
{
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.front() == nullptr);
    queue.remove(add("a"));
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.front() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
