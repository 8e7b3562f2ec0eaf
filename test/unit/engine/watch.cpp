// SPDX-License-Identifier: BSL-1.0
#include "engine/watch.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using twat::mp::detail::time_point;
using twat::mp::detail::watched;

namespace {

struct sleeper
{
    explicit sleeper(std::string name) : name(std::move(name)) {}
    std::string name;
    watched<sleeper> wakes{*this};
};

struct fixture
{
    const time_point start{1h};
    twat::mp::detail::watch<sleeper> watch;
    std::deque<sleeper> sleepers;

    sleeper& add(const char* name, twat::mp::duration after)
    {
        sleeper& added = sleepers.emplace_back(name);
        watch.set(added.wakes, start + after);
        return added;
    }
    std::string due(twat::mp::duration after)
    {
        std::string names;
        while (sleeper* next = watch.take_due(start + after))
            names += next->name;
        return names;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_watch)

BOOST_FIXTURE_TEST_CASE(the_earliest_is_due_first_whatever_the_order_of_setting, fixture)
{
    add("c", 3s), add("a", 1s), add("d", 4s), add("b", 2s);
    BOOST_TEST((watch.next() == start + 1s));
    BOOST_TEST(due(999ms) == "");
    BOOST_TEST(due(3s) == "abc");
    BOOST_TEST((watch.next() == start + 4s));
    BOOST_TEST(due(1h) == "d");
    BOOST_TEST(watch.empty());
    BOOST_TEST((watch.next() == time_point::max()));
}

BOOST_FIXTURE_TEST_CASE(what_is_due_at_one_moment_comes_in_the_order_of_setting, fixture)
{
    add("a", 1s), add("b", 1s), add("z", 2s), add("c", 1s);
    BOOST_TEST(due(1s) == "abc");
}

BOOST_FIXTURE_TEST_CASE(a_moment_can_be_moved_and_taken_out, fixture)
{
    sleeper& a = add("a", 1s);
    sleeper& b = add("b", 2s);
    add("c", 3s);
    watch.set(a.wakes, start + 4s);
    watch.clear(b.wakes);
    BOOST_TEST((watch.next() == start + 3s));
    BOOST_TEST((b.wakes.due() == time_point::max()));
    watch.clear(b.wakes); // and once more, to no effect
    BOOST_TEST(due(1h) == "ca");
    watch.set(b.wakes, start + 5s); // after all
    BOOST_TEST(due(1h) == "b");
}

BOOST_FIXTURE_TEST_CASE(never_is_not_due, fixture)
{
    sleeper& a = sleepers.emplace_back("a");
    watch.set(a.wakes, time_point::max());
    BOOST_TEST(watch.empty());
    BOOST_TEST((watch.take_due(time_point::max()) == nullptr));
}

BOOST_FIXTURE_TEST_CASE(what_is_destroyed_is_not_watched_any_more, fixture)
{
    add("a", 1s);
    {
        sleeper gone("gone");
        watch.set(gone.wakes, start + 500ms);
        BOOST_TEST((watch.next() == start + 500ms));
    }
    BOOST_TEST((watch.next() == start + 1s));
    BOOST_TEST(due(1h) == "a");
}

BOOST_AUTO_TEST_SUITE_END()
