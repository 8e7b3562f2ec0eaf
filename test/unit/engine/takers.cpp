// SPDX-License-Identifier: BSL-1.0
#include "engine/takers.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>

using twat::mp::detail::taker;
using twat::mp::detail::takers;

namespace {

struct fixture
{
    takers all;
    std::deque<taker> workers; // leave by themselves

    taker& add(takers::kind kind, std::size_t load)
    {
        taker& added = workers.emplace_back();
        added.order = workers.size();
        all.put(added, kind, load);
        return added;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_takers)

BOOST_FIXTURE_TEST_CASE(the_one_with_the_least_comes_first_and_then_the_first_to_come, fixture)
{
    add(takers::plain, 2);
    taker& first = add(takers::plain, 1);
    taker& second = add(takers::plain, 1);
    BOOST_TEST(all.first(takers::plain) == &first);
    BOOST_TEST(all.after(takers::plain, first) == &second);
    all.put(first, takers::plain, 3);
    BOOST_TEST(all.first(takers::plain) == &second);
    BOOST_TEST(all.after(takers::plain, first) == nullptr);
}

BOOST_FIXTURE_TEST_CASE(each_stands_among_one_kind, fixture)
{
    taker& worker = add(takers::idle, 0);
    all.put(worker, takers::coroutines, 1);
    BOOST_TEST(all.first(takers::idle) == nullptr);
    BOOST_TEST(all.first(takers::coroutines) == &worker);
    all.remove(worker);
    all.remove(worker); // is not there any more
    BOOST_TEST(all.first(takers::coroutines) == nullptr);
}

BOOST_FIXTURE_TEST_CASE(one_that_is_gone_is_not_there, fixture)
{
    taker& stays = add(takers::guest, 0);
    add(takers::guest, 0);
    workers.pop_back();
    BOOST_TEST(all.first(takers::guest) == &stays);
    BOOST_TEST(all.after(takers::guest, stays) == nullptr);
    all.clear();
    BOOST_TEST(all.first(takers::guest) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
