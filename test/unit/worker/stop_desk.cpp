// SPDX-License-Identifier: BSL-1.0
#include "worker/stop_desk.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <thread>

using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_stop_desk)

namespace {

struct fixture
{
    stop_desk desk;
    chunk_slot slot{};

    /// The state that tasks of `chunk` see, when tasks before saw theirs, or did not.
    std::stop_source begin(std::uint64_t chunk, bool was_seen) { return desk.begin(chunk, slot, was_seen); }
};

/// A request may come from a thread of its own.
bool is_asked(const std::stop_source& source)
{
    for (int i = 0; i < 10'000 && !source.stop_requested(); ++i)
        std::this_thread::sleep_for(1ms);
    return source.stop_requested();
}

} // namespace

BOOST_FIXTURE_TEST_CASE(a_request_before_the_task_is_seen_when_it_begins, fixture)
{
    slot.stop = 7;
    BOOST_TEST(begin(7, true).stop_requested());
}

BOOST_FIXTURE_TEST_CASE(a_request_reaches_what_runs, fixture)
{
    const std::stop_source running = begin(7, true);
    BOOST_TEST(!running.stop_requested());
    slot.stop = 7;
    desk.look();
    BOOST_TEST(is_asked(running));
}

BOOST_FIXTURE_TEST_CASE(a_request_for_the_chunk_before_reaches_nobody, fixture)
{
    slot.stop = 7; // what was in the slot before
    const std::stop_source running = begin(8, true);
    BOOST_TEST(!running.stop_requested());
    desk.look();
    // The state goes on unless a request for it is on its way.
    BOOST_TEST((begin(9, false) == running));
}

BOOST_FIXTURE_TEST_CASE(a_request_that_is_on_its_way_does_not_reach_the_next_chunk, fixture)
{
    const std::stop_source running = begin(7, true);
    slot.stop = 7;
    desk.look();
    slot.stop = 0;
    const std::stop_source next = begin(8, false);
    BOOST_TEST((next != running));
    BOOST_TEST(is_asked(running));
    BOOST_TEST(!next.stop_requested());
}

BOOST_FIXTURE_TEST_CASE(nobody_is_asked_when_nothing_runs, fixture)
{
    const std::stop_source ended = begin(7, true);
    desk.end();
    slot.stop = 7;
    desk.look();
    BOOST_TEST((begin(8, false) == ended));
    BOOST_TEST(!ended.stop_requested());
}

BOOST_FIXTURE_TEST_CASE(a_state_that_was_seen_is_not_used_again, fixture)
{
    const std::stop_source first = begin(7, false);
    BOOST_TEST((begin(7, false) == first));
    BOOST_TEST((begin(7, true) != first));
}

BOOST_AUTO_TEST_SUITE_END()
