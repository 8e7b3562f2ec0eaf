// SPDX-License-Identifier: BSL-1.0
// What becomes of chunks that the stream does not confirm, without a broker.
#include "cluster/unconfirmed.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

using namespace twat::mp::detail::cluster;
using namespace std::chrono_literals;
using boost::test_tools::per_element;

namespace {

using ids = std::vector<std::uint64_t>;

struct two_chunks
{
    const twat::mp::detail::time_point begin = twat::mp::detail::clock::now();
    unconfirmed chunks{1s, 30s};

    two_chunks()
    {
        chunks.take_due(begin); // the first look
        chunks.published(1, begin);
        chunks.published(2, begin + 100ms);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_unconfirmed, two_chunks)

BOOST_AUTO_TEST_CASE(what_is_not_confirmed_for_an_interval_is_published_again)
{
    BOOST_TEST(chunks.take_due(begin + 999ms).again.empty());
    BOOST_TEST(chunks.take_due(begin + 1s).again == ids({1}), per_element());
    BOOST_TEST(chunks.take_due(begin + 1500ms).again.empty()); // not before the next look
    chunks.settled(1);
    BOOST_TEST(chunks.take_due(begin + 2s).again == ids({2}), per_element());
}

BOOST_AUTO_TEST_CASE(what_is_published_again_and_again_is_given_up)
{
    for (auto now = begin + 1s; now < begin + 30s; now += 1s)
        BOOST_TEST(chunks.take_due(now).hopeless.empty());
    const auto due = chunks.take_due(begin + 30s);
    BOOST_TEST(due.hopeless == ids({1}), per_element());
    BOOST_TEST(due.again == ids({2}), per_element());
    BOOST_TEST(chunks.take_due(begin + 31s).hopeless == ids({2}), per_element());
    BOOST_TEST(chunks.empty());
}

BOOST_AUTO_TEST_CASE(an_absence_of_the_broker_does_not_count)
{
    chunks.set_online(true, begin); // as it was
    chunks.set_online(false, begin + 10s);
    chunks.published(3, begin + 15s);
    chunks.set_online(false, begin + 20s);
    chunks.set_online(true, begin + 1000s);
    BOOST_TEST(chunks.take_due(begin + 1019s).hopeless.empty());
    BOOST_TEST(chunks.take_due(begin + 1020s).hopeless == ids({1}), per_element());
    BOOST_TEST(chunks.take_due(begin + 1029s).hopeless == ids({2}), per_element());
    BOOST_TEST(chunks.take_due(begin + 1030s).hopeless == ids({3}), per_element());
}

BOOST_AUTO_TEST_CASE(one_that_is_slow_is_not_given_up)
{
    chunks.confirmed(2, begin + 20s);
    BOOST_TEST(chunks.take_due(begin + 49s).hopeless.empty());
    BOOST_TEST(chunks.take_due(begin + 50s).hopeless == ids({1}), per_element());
}

BOOST_AUTO_TEST_CASE(without_a_limit_nothing_is_given_up)
{
    unconfirmed patient(1s, 0s);
    patient.published(1, begin);
    BOOST_TEST(patient.take_due(begin + 1000h).again == ids({1}), per_element());
}

BOOST_AUTO_TEST_CASE(when_something_is_due)
{
    BOOST_TEST((chunks.next_due() == begin + 1s));
    chunks.clear();
    BOOST_TEST((chunks.next_due() == twat::mp::detail::time_point::max()));
}

BOOST_AUTO_TEST_SUITE_END()
