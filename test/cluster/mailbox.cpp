// SPDX-License-Identifier: BSL-1.0
// What a pool's strand is told of the broker's link, without a broker.
#include "cluster/mailbox.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <thread>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::detail::cluster;
using namespace std::chrono_literals;

namespace {

struct a_mailbox
{
    mailbox box{[] {}};

    void be_away(duration at_least)
    {
        box.disconnected();
        std::this_thread::sleep_for(at_least);
        box.connected(1024);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_mailbox, a_mailbox)

BOOST_AUTO_TEST_CASE(an_absence_is_told_with_its_length)
{
    box.connected(1024);
    BOOST_TEST(box.take().link.connections == 1u);
    box.disconnected();
    BOOST_TEST(!box.take().link.online);
    std::this_thread::sleep_for(20ms);
    box.connected(1024);
    const mailbox::link_state link = box.take().link;
    BOOST_TEST(link.online);
    BOOST_TEST(link.connections == 2u);
    BOOST_TEST((link.away >= 20ms));
    BOOST_TEST((box.take().link.away == duration(0)));
}

BOOST_AUTO_TEST_CASE(one_that_was_over_before_the_strand_ran_is_told_too)
{
    box.connected(1024);
    box.take();
    be_away(20ms);
    BOOST_TEST((box.take().link.away >= 20ms));
}

BOOST_AUTO_TEST_CASE(of_several_the_longest_is_told)
{
    box.connected(1024);
    box.take();
    be_away(30ms);
    be_away(0ms);
    box.disconnected(); // twice, as a link that is set up anew says it
    std::this_thread::sleep_for(1ms);
    box.disconnected();
    box.connected(1024);
    const mailbox::link_state link = box.take().link;
    BOOST_TEST((link.away >= 30ms));
    BOOST_TEST(link.connections == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
