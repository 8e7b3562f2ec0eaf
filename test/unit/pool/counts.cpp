// SPDX-License-Identifier: BSL-1.0
#include "pool/counts.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp;
using detail::pool_counts;
using detail::published_counts;

BOOST_AUTO_TEST_SUITE(test_counts)

// A count that is missing in the list stays zero.
BOOST_AUTO_TEST_CASE(each_count_is_copied)
{
    pool_stats from;
    std::size_t next = 0;
    for (auto field :
         {&pool_stats::nodes,      &pool_stats::ready,    &pool_stats::busy,      &pool_stats::pending,
          &pool_stats::running,    &pool_stats::done,     &pool_stats::failed,    &pool_stats::died,
          &pool_stats::restarts,   &pool_stats::retired,  &pool_stats::cancelled, &pool_stats::abandoned,
          &pool_stats::recycled,   &pool_stats::starting, &pool_stats::waiting,   &pool_stats::pending_bytes,
          &pool_stats::timed_out,  &pool_stats::refused,  &pool_stats::resumed,   &pool_stats::retried,
          &pool_stats::hedges_won, &pool_stats::hedged,   &pool_stats::lost})
        from.*field = ++next;
    from.bytes_sent = ++next;
    from.bytes_received = ++next;
    from.chaos.delays = ++next;
    pool_stats to;
    pool_counts(from).copy_to(to);
    BOOST_TEST(to.nodes == 1u);
    BOOST_TEST(to.pending_bytes == 16u);
    BOOST_TEST(to.lost == 23u);
    BOOST_TEST(to.bytes_sent == 24u);
    BOOST_TEST(to.bytes_received == 25u);
    BOOST_TEST(to.chaos.delays == 26u);
    BOOST_TEST((pool_counts(to) == pool_counts(from)));
    BOOST_TEST(!(pool_counts(to) == pool_counts()));
}

BOOST_AUTO_TEST_CASE(one_count_is_set_by_name)
{
    pool_stats of;
    of.abandoned = 1;
    of.recycled = 2;
    pool_counts counts(of);
    counts.get<&pool_stats::abandoned>() = 7;
    pool_stats to;
    counts.copy_to(to);
    BOOST_TEST(to.abandoned == 7u);
    BOOST_TEST(to.recycled == 2u);
}

BOOST_AUTO_TEST_CASE(what_was_published_last_is_read)
{
    published_counts shared;
    pool_stats of;
    for (const std::size_t done : {3u, 3u, 4u}) {
        of.done = done;
        shared.publish(pool_counts(of));
        pool_stats read;
        shared.copy_to(read);
        BOOST_TEST(read.done == done);
        BOOST_TEST(read.hosts.empty());
    }
    shared.publish_hosts({{"a", 2}, {"b", 3}});
    pool_stats read;
    shared.copy_to(read);
    BOOST_TEST(read.hosts.size() == 2u);
    BOOST_TEST(read.hosts.back().host == "b");
    BOOST_TEST(read.done == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
