// SPDX-License-Identifier: BSL-1.0
// Which chunks are looked for in the stream once more, without a broker.
#include "cluster/leftovers.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

using namespace twat::mp::detail::cluster;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using numbers = std::vector<std::uint64_t>;

struct nothing_left
{
    leftovers left;
    const twat::mp::detail::time_point begin = twat::mp::detail::clock::now();
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_leftovers, nothing_left)

BOOST_AUTO_TEST_CASE(what_was_removed_lately_is_looked_for_when_the_broker_is_back)
{
    left.removed(1, begin);
    left.removed(2, begin + leftovers::memory);
    left.removed(3, begin + leftovers::memory + 1s);
    BOOST_TEST(left.empty());
    left.came_back();
    BOOST_TEST(left.take() == (numbers{2, 3}), per_element());
    BOOST_TEST(left.empty());
    left.came_back();
    BOOST_TEST(left.empty());
}

BOOST_AUTO_TEST_CASE(nothing_gets_too_old_while_the_broker_is_away)
{
    left.removed(1, begin);
    left.removed_unheard(2, begin + 1h);
    left.came_back();
    BOOST_TEST(left.take() == (numbers{1, 2}), per_element());
}

BOOST_AUTO_TEST_CASE(a_suspect_is_looked_for_at_once_and_once)
{
    left.suspect(7);
    left.suspect(7);
    BOOST_TEST(!left.empty());
    BOOST_TEST(left.take() == (numbers{7}), per_element());
}

BOOST_AUTO_TEST_CASE(memory_is_bounded)
{
    for (std::uint64_t i = 0; i != leftovers::most + 10; ++i)
        left.removed_unheard(i, begin);
    left.came_back();
    const numbers all = left.take();
    BOOST_TEST(all.size() == leftovers::most);
    BOOST_TEST(all.front() == 10u);
}

BOOST_AUTO_TEST_SUITE_END()
