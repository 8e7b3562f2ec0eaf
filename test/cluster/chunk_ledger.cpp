// SPDX-License-Identifier: BSL-1.0
// Who has which chunk, step by step, without a broker.
#include "cluster/chunk_ledger.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace twat::mp::detail::cluster;
using boost::test_tools::per_element;

namespace {

using ids = std::vector<std::uint64_t>;

struct with_a_chunk
{
    chunk_ledger ledger;

    with_a_chunk() { ledger.add(1); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_chunk_ledger, with_a_chunk)

BOOST_AUTO_TEST_CASE(claims)
{
    const struct
    {
        std::uint64_t chunk;
        const char* agent;
        verdict expected;
    } table[] = {
        {1, "a", verdict::run},
        {1, "a", verdict::run}, // the answer may have been lost
        {1, "b", verdict::taken},
        {2, "a", verdict::unknown},
    };
    for (const auto& row : table)
        BOOST_TEST((ledger.claim(row.chunk, row.agent, 1, "ack") == row.expected));
    BOOST_TEST(ledger.given_to("a") == 1u);
    BOOST_TEST(ledger.given_to("b") == 0u);
}

BOOST_AUTO_TEST_CASE(who_claims_anew_what_it_has_had_dropped_it)
{
    BOOST_TEST(!ledger.take_dropped(1, "a", 5)); // nobody has it
    BOOST_TEST((ledger.claim(1, "a", 5, "ack") == verdict::run));
    const struct
    {
        const char* agent;
        std::uint64_t delivery;
        verdict expected;
    } table[] = {
        {"a", 5, verdict::run},   // once more
        {"a", 4, verdict::taken}, // late
        {"b", 6, verdict::taken},
    };
    for (const auto& row : table) {
        BOOST_TEST(!ledger.take_dropped(1, row.agent, row.delivery));
        BOOST_TEST((ledger.claim(1, row.agent, row.delivery, "ack") == row.expected));
    }
    BOOST_TEST(ledger.take_dropped(1, "a", 6).has_value());
    BOOST_TEST((ledger.claim(1, "a", 6, "ack") == verdict::unknown));
}

BOOST_AUTO_TEST_CASE(an_outcome_counts_once_and_from_who_has_the_chunk)
{
    ledger.claim(1, "a", 1, "ack");
    BOOST_TEST(!ledger.settle(1, "b"));
    const auto settled = ledger.settle(1, "a");
    BOOST_REQUIRE(settled);
    BOOST_TEST(settled->ack == "ack");
    BOOST_TEST(!ledger.settle(1, "a"));
    BOOST_TEST(ledger.empty());
}

BOOST_AUTO_TEST_CASE(an_outcome_that_nobody_was_given_does_not_count)
{
    BOOST_TEST(!ledger.settle(1, "a"));
    BOOST_TEST(ledger.size() == 1u);
}

BOOST_AUTO_TEST_CASE(only_what_nobody_has_is_taken_back)
{
    ledger.add(2);
    ledger.claim(1, "a", 1, "ack");
    BOOST_TEST(!ledger.withdraw(1));
    BOOST_TEST(ledger.withdraw(2).has_value());
    BOOST_TEST(!ledger.withdraw(2));
    BOOST_TEST((ledger.claim(2, "a", 1, "ack") == verdict::unknown));
}

BOOST_AUTO_TEST_CASE(what_is_stored_too_late_can_be_deleted)
{
    BOOST_TEST(ledger.stored(1, 100));
    BOOST_TEST(ledger.find(1)->sequences == ids{100});
    ledger.forget(1);
    BOOST_TEST(!ledger.stored(1, 101));
}

BOOST_AUTO_TEST_CASE(each_copy_in_the_stream_is_known)
{
    ledger.stored(1, 100);
    BOOST_TEST(!ledger.find(1)->outlived);
    ledger.came_back();
    ledger.stored(1, 100);
    ledger.stored(1, 120);
    const auto taken = ledger.withdraw(1);
    BOOST_REQUIRE(taken);
    BOOST_TEST(taken->sequences == (ids{100, 120}), per_element());
    BOOST_TEST(taken->outlived);
}

BOOST_AUTO_TEST_CASE(with_an_agent_goes_what_it_was_given)
{
    ledger.add(2);
    ledger.add(3);
    ledger.claim(1, "a", 1, "");
    ledger.claim(2, "b", 1, "");
    ledger.claim(3, "a", 1, "");
    const auto lost = ledger.lose("a");
    BOOST_REQUIRE(lost.size() == 2u);
    BOOST_TEST(lost[0].id == 1u);
    BOOST_TEST(lost[1].id == 3u);
    BOOST_TEST(ledger.size() == 1u);
    BOOST_TEST(!ledger.settle(1, "a")); // too late
}

BOOST_AUTO_TEST_CASE(what_an_agent_does_not_name_twice_in_a_row_is_lost)
{
    ledger.claim(1, "a", 1, "");
    BOOST_TEST(ledger.reconcile("a", {}).empty()); // the answer may be on its way
    BOOST_TEST(ledger.reconcile("a", {1}).empty());
    BOOST_TEST(ledger.reconcile("a", {}).empty());
    BOOST_TEST(ledger.reconcile("b", {}).empty());
    BOOST_TEST(ledger.reconcile("a", {}).size() == 1u);
    BOOST_TEST(ledger.empty());
}

BOOST_AUTO_TEST_CASE(an_agent_is_told_what_is_not_its)
{
    ledger.add(2);
    ledger.add(3);
    ledger.claim(1, "a", 1, "");
    ledger.claim(2, "b", 1, "");
    BOOST_TEST(ledger.unwanted("a", {1, 2, 3, 4}) == (ids{2, 4}), per_element()); // it may be about to claim 3
}

BOOST_AUTO_TEST_CASE(after_the_broker_was_away_what_nobody_has_is_published_again)
{
    ledger.add(2);
    ledger.claim(1, "a", 1, "");
    BOOST_TEST(ledger.to_publish_again() == ids{2}, per_element());
    BOOST_TEST(ledger.is_to_be_published_again(2));
    BOOST_TEST(!ledger.is_to_be_published_again(1));
    BOOST_TEST(!ledger.is_to_be_published_again(7)); // of which nothing is known
}

BOOST_AUTO_TEST_SUITE_END()
