// SPDX-License-Identifier: BSL-1.0
// What an agent holds, step by step, without a broker and without a clock.
#include "cluster/agent_desk.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace twat::mp::detail;
using namespace twat::mp::detail::cluster;

namespace {

constexpr twat::mp::duration lease = 1s;
constexpr time_point start{};
const chunk_key key{"pool", 7};

task_message task()
{
    task_message t;
    t.lease = lease;
    return t;
}

/// An agent with a chunk that is as far as the test says.
struct with_a_chunk
{
    agent_desk desk{200ms};

    void deliver() { BOOST_TEST((desk.delivered(key, task(), "ack", start) == agent_desk::delivery::taken_in)); }
    void claim()
    {
        deliver();
        desk.claim(key, start);
        BOOST_TEST(desk.take_due(start).claims.size() == 1u);
    }
    void run()
    {
        claim();
        BOOST_TEST(desk.answered(key, desk.find(key)->delivery, verdict::run, start));
    }
    void finish()
    {
        run();
        BOOST_TEST(desk.finished(key, start));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(test_cluster_agent_desk, with_a_chunk)

BOOST_AUTO_TEST_CASE(a_chunk_is_claimed_run_answered_and_forgotten)
{
    deliver();
    BOOST_TEST((desk.find(key)->at == agent_desk::stage::waiting));
    BOOST_TEST(desk.occupied(16) == 0.0);
    BOOST_REQUIRE(desk.next_waiting());
    BOOST_TEST((*desk.next_waiting() == key));
    desk.claim(key, start);
    BOOST_TEST(!desk.next_waiting());
    BOOST_TEST(desk.occupied(16) == 1.0);
    BOOST_TEST(desk.answered(key, desk.find(key)->delivery, verdict::run, start));
    BOOST_TEST(desk.finished(key, start));
    BOOST_TEST(desk.occupied(16) == 0.0);
    BOOST_TEST(desk.take_due(start).outcomes.size() == 1u);
    BOOST_TEST(desk.forget(key));
    BOOST_TEST(!desk.forget(key));
    BOOST_TEST(desk.size() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_delivered_again_is_known_and_its_newest_acknowledgement_counts)
{
    run();
    BOOST_TEST((desk.delivered(key, task(), "newer", start) == agent_desk::delivery::known));
    BOOST_TEST((desk.find(key)->at == agent_desk::stage::running));
    BOOST_TEST(desk.find(key)->ack == "newer");
}

BOOST_AUTO_TEST_CASE(verdicts)
{
    const struct
    {
        verdict answer;
        bool is_kept;
    } table[] = {{verdict::run, true}, {verdict::unknown, false}, {verdict::taken, false}};
    for (const auto& row : table) {
        with_a_chunk fresh;
        fresh.claim();
        BOOST_TEST(fresh.desk.answered(key, fresh.desk.find(key)->delivery, row.answer, start));
        BOOST_TEST((fresh.desk.find(key) != nullptr) == row.is_kept);
    }
}

BOOST_AUTO_TEST_CASE(the_answer_to_another_stay_counts_for_nothing)
{
    claim();
    const std::uint64_t first = desk.find(key)->delivery;
    BOOST_TEST(desk.answered(key, first, verdict::taken, start));
    claim(); // delivered once more
    BOOST_TEST(!desk.answered(key, first, verdict::run, start));
    BOOST_TEST(desk.answered(key, desk.find(key)->delivery, verdict::run, start));
    BOOST_TEST(!desk.answered(key, desk.find(key)->delivery, verdict::run, start)); // the same once more
}

BOOST_AUTO_TEST_CASE(claims_and_outcomes_are_sent_until_they_are_answered)
{
    claim();
    BOOST_TEST(desk.take_due(start).claims.empty());
    BOOST_TEST(desk.take_due(start + lease / 4).claims.size() == 1u);
    BOOST_TEST(desk.answered(key, desk.find(key)->delivery, verdict::run, start));
    BOOST_TEST(desk.take_due(start + lease / 2).claims.empty());
    BOOST_TEST(desk.finished(key, start + lease / 2));
    BOOST_TEST(desk.take_due(start + lease / 2).outcomes.size() == 1u);
    BOOST_TEST(desk.take_due(start + lease / 2).outcomes.empty());
    BOOST_TEST(desk.take_due(start + lease * 3 / 4).outcomes.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_stream_is_told_that_what_is_claimed_goes_on)
{
    run();
    BOOST_TEST(desk.take_due(start).renewals.empty());
    BOOST_TEST((desk.next_due() == start + lease / 4));
    const std::vector<std::string> renewed = desk.take_due(start + lease / 4).renewals;
    BOOST_TEST(renewed == std::vector<std::string>{"ack"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_no_worker_is_free_for_goes_back_to_the_stream)
{
    deliver();
    BOOST_TEST(desk.take_due(start).returned.empty());
    const auto due = desk.take_due(start + lease / 4);
    BOOST_REQUIRE(due.returned.size() == 1u);
    BOOST_TEST(due.returned.front().second.ack == "ack");
    BOOST_TEST(due.renewals.empty());
    BOOST_TEST(!desk.next_waiting());
    BOOST_TEST(desk.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_pool_that_nobody_is_there_for_is_gone_within_its_lease)
{
    run();
    desk.unanswered(start + lease / 4); // the first time it may just be coming back
    desk.unanswered(start + lease / 2);
    BOOST_TEST(desk.take_due(start + lease / 2).orphans.empty());
    // its tasks need 200 ms to stop
    BOOST_TEST((desk.next_due() <= start + lease - 200ms));
    BOOST_TEST(desk.take_due(start + lease - 200ms).orphans.size() == 1u);
    BOOST_TEST(desk.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_heard_again_is_not_gone)
{
    run();
    desk.unanswered(start + lease / 2);
    desk.pool_heard("pool", start + lease * 5 / 8);
    BOOST_TEST(desk.take_due(start + lease).orphans.empty());
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_only_silent_may_be_stopped_in_a_debugger)
{
    run();
    BOOST_TEST(desk.take_due(start + 4 * lease).orphans.empty());
    BOOST_TEST(desk.take_due(start + 5 * lease).orphans.size() == 1u);
}

BOOST_AUTO_TEST_CASE(while_the_broker_is_away_nothing_is_due_and_nobody_is_judged)
{
    finish();
    desk.disconnected();
    BOOST_TEST((desk.next_due() == time_point::max()));
    const auto due = desk.take_due(start + 100 * lease);
    BOOST_TEST((due.orphans.empty() && due.outcomes.empty() && due.renewals.empty()));
    desk.connected(start + 100 * lease);
    const auto after = desk.take_due(start + 100 * lease); // all of it at once
    BOOST_TEST((after.outcomes.size() == 1u && after.renewals.size() == 1u && after.pools.size() == 1u));
    BOOST_TEST(after.orphans.empty());
}

BOOST_AUTO_TEST_CASE(it_tells_a_pool_what_it_has_begun_or_wants_to_begin)
{
    deliver();
    BOOST_TEST(desk.chunks_of("pool").empty());
    desk.claim(key, start);
    BOOST_TEST(desk.chunks_of("pool") == std::vector<std::uint64_t>{7}, boost::test_tools::per_element());
    BOOST_TEST(desk.chunks_of("other").empty());
}

BOOST_AUTO_TEST_CASE(an_agent_that_leaves_returns_what_it_has_not_claimed)
{
    run();
    const chunk_key waits{"pool", 8};
    desk.delivered(waits, task(), "ack 8", start);
    const auto returned = desk.take_waiting();
    BOOST_REQUIRE(returned.size() == 1u);
    BOOST_TEST((returned.front().first == waits));
    BOOST_TEST(desk.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_ack_holds_until_the_broker_was_away)
{
    claim();
    BOOST_TEST(desk.find(key)->ack_holds);
    desk.disconnected();
    desk.connected(start);
    BOOST_TEST(!desk.find(key)->ack_holds);
    BOOST_TEST((desk.delivered(key, task(), "another", start) == agent_desk::delivery::known));
    BOOST_TEST(desk.find(key)->ack_holds);
}

BOOST_AUTO_TEST_SUITE_END()
