// SPDX-License-Identifier: BSL-1.0
#include "cluster/host_lanes.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace twat::mp::detail;
using twat::mp::detail::cluster::host_lanes;

BOOST_AUTO_TEST_SUITE(test_cluster_host_lanes)

BOOST_AUTO_TEST_CASE(chunks_of_one_host_have_numbers_of_their_own_and_the_lowest_free_one_is_next)
{
    host_lanes lanes;
    const chunk_taker first = lanes.take("fink");
    const chunk_taker second = lanes.take("fink");
    const chunk_taker other = lanes.take("amsel");
    BOOST_TEST(*first.host == "fink");
    BOOST_TEST(first.lane == 0u);
    BOOST_TEST(second.lane == 1u);
    BOOST_TEST(*other.host == "amsel");
    BOOST_TEST(other.lane == 0u);
    lanes.give_back(first);
    BOOST_TEST(lanes.take("fink").lane == 0u);
    BOOST_TEST(lanes.take("fink").lane == 2u);
}

BOOST_AUTO_TEST_CASE(a_host_that_runs_nothing_is_forgotten)
{
    host_lanes lanes;
    const chunk_taker first = lanes.take("fink");
    const chunk_taker second = lanes.take("fink");
    lanes.give_back(first);
    BOOST_TEST(lanes.hosts() == 1u);
    lanes.give_back(second);
    BOOST_TEST(lanes.hosts() == 0u);
    lanes.give_back(second); // as after `clear`
    lanes.give_back({});
    BOOST_TEST(*second.host == "fink");
}

BOOST_AUTO_TEST_SUITE_END()
