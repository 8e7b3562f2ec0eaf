// SPDX-License-Identifier: BSL-1.0
// Who is there and who is lost, without a broker.
#include "cluster/membership.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace twat::mp::detail;
using namespace twat::mp::detail::cluster;
using namespace std::chrono_literals;

namespace {

constexpr twat::mp::duration lease = 1s;

struct an_agent
{
    membership members{"build", lease};
    const time_point begin = clock::now();

    an_agent()
    {
        members.connected(begin);
        be_there(begin);
    }
    void be_there(time_point when)
    {
        presence_message told;
        told.build = "build";
        told.agent = "a";
        told.nodes = 2;
        members.heard(told, when);
    }
};

const auto has_chunks = [](const std::string&) { return true; };
const auto has_none = [](const std::string&) { return false; };

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_membership, an_agent)

BOOST_AUTO_TEST_CASE(who_is_silent_for_a_lease_is_lost)
{
    be_there(begin + 500ms);
    BOOST_TEST(members.take_lost(begin + 1400ms, has_chunks).empty());
    BOOST_TEST(members.take_lost(begin + 1500ms, has_chunks).size() == 1u);
    BOOST_TEST(members.capacity() == 0u);
}

BOOST_AUTO_TEST_CASE(who_is_there_but_tells_of_no_chunks_has_none_any_more)
{
    be_there(begin + 900ms);
    BOOST_TEST(members.told_chunks("a", begin + 500ms));
    BOOST_TEST(members.without_chunks(begin + 1400ms, has_chunks).empty());
    BOOST_TEST(members.without_chunks(begin + 1500ms, has_none).empty());
    BOOST_TEST(members.without_chunks(begin + 1500ms, has_chunks).size() == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_can_tell_while_the_broker_is_away)
{
    members.disconnected();
    BOOST_TEST(members.without_chunks(begin + 5s, has_chunks).empty());
    members.connected(begin + 5s);
    BOOST_TEST(members.without_chunks(begin + 5900ms, has_chunks).empty());
    BOOST_TEST(members.without_chunks(begin + 6s, has_chunks).size() == 1u);
}

BOOST_AUTO_TEST_CASE(strangers_tell_nothing)
{
    BOOST_TEST(!members.told_chunks("b", begin));
    BOOST_TEST(members.size() == 1u);
}

BOOST_AUTO_TEST_CASE(hosts_are_told_with_all_workers_of_their_agents)
{
    const auto join = [&](const std::string& agent, const std::string& host, bool leaving = false) {
        presence_message told;
        told.build = "build";
        told.agent = agent;
        told.host = host;
        told.nodes = 3;
        members.heard(told, begin);
        told.leaving = leaving;
        members.heard(told, begin);
    };
    join("a", "fink");
    join("b", "amsel");
    join("c", "fink");
    join("d", "meise", true);
    BOOST_TEST((members.hosts() == std::vector<twat::mp::host_stats>{{"amsel", 3}, {"fink", 6}}));
}

BOOST_AUTO_TEST_SUITE_END()
