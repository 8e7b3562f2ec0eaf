// SPDX-License-Identifier: BSL-1.0
// What a pool's strand is told of the broker's link, without a broker.
#include "cluster/mailbox.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace twat::mp::detail::cluster;

namespace {

struct a_mailbox
{
    mailbox box{[] {}};

    void be_away()
    {
        box.disconnected();
        box.connected(1024);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_mailbox, a_mailbox)

BOOST_AUTO_TEST_CASE(an_absence_is_told)
{
    box.connected(1024);
    const link_state before = box.take().link;
    BOOST_TEST(before.connections == 1u);
    BOOST_TEST(!before.came_back_since({})); // nothing was sent before
    BOOST_TEST(!before.came_back_since(before));
    box.disconnected();
    const link_state away = box.take().link;
    BOOST_TEST(!away.online);
    BOOST_TEST(!away.came_back_since(before));
    box.connected(512);
    const link_state back = box.take().link;
    BOOST_TEST(back.came_back_since(away));
    BOOST_TEST(back.max_payload == 512u);
}

BOOST_AUTO_TEST_CASE(absences_that_were_over_before_the_strand_ran_are_told_too)
{
    box.connected(1024);
    const link_state before = box.take().link;
    be_away();
    be_away();
    BOOST_TEST(box.take().link.came_back_since(before));
    BOOST_TEST(box.take().link.connections == 3u);
}

BOOST_AUTO_TEST_CASE(one_that_is_over_amid_the_next_is_told_at_its_end)
{
    box.connected(1024);
    const link_state before = box.take().link;
    be_away();
    box.disconnected();
    const link_state away = box.take().link;
    BOOST_TEST(!away.came_back_since(before)); // nothing can be done yet
    box.connected(1024);
    BOOST_TEST(box.take().link.came_back_since(away));
}

BOOST_AUTO_TEST_SUITE_END()
