// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "process/silence_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_process_silence_watch)

constexpr time_point never = time_point::max();
constexpr time_point start(1s);

BOOST_AUTO_TEST_CASE(a_ring_is_looked_at_only_if_something_may_lie_in_it)
{
    struct row
    {
        std::size_t wanted, outstanding;
        bool looked_at;
    };
    for (const row& r : {row{0, 0, false}, row{1, 1, false}, row{1, 2, true}, row{2, 1, true}, row{2, 2, true}})
        BOOST_TEST_CONTEXT(r.wanted << " chunks, " << r.outstanding << " tasks")
        {
            silence_watch watch;
            watch.heard(start);
            BOOST_TEST((watch.look_due(r.wanted, r.outstanding) != never) == r.looked_at);
        }
}

BOOST_AUTO_TEST_CASE(workers_are_looked_at_together)
{
    silence_watch one, other;
    one.heard(start + 100us);
    other.heard(start + 900us);
    BOOST_TEST((one.look_due(2, 2) == start + 3ms));
    BOOST_TEST((one.look_due(2, 2) == other.look_due(2, 2)));
}

BOOST_AUTO_TEST_CASE(one_look_is_enough_until_the_next_sign)
{
    silence_watch watch;
    watch.heard(start);
    watch.look();
    BOOST_TEST((watch.look_due(2, 2) == never));
    watch.looked(true);
    BOOST_TEST((watch.look_due(2, 2) == never));
    watch.heard(start + 10ms);
    BOOST_TEST((watch.look_due(2, 2) == start + 13ms));
    watch.look();
    watch.given(start + 20ms, false, false);
    BOOST_TEST((watch.look_due(2, 2) == start + 23ms));
}

BOOST_AUTO_TEST_CASE(looks_that_find_nothing_become_rare)
{
    silence_watch watch;
    const auto pause = [&] {
        watch.heard(start);
        return watch.look_due(2, 2) - start - silence_watch::look_grid;
    };
    for (const duration expected : {2ms, 4ms, 8ms, 16ms, 16ms}) {
        BOOST_TEST((pause() == expected));
        watch.look();
        watch.looked(false);
    }
    watch.looked(true);
    BOOST_TEST((pause() == duration(2ms)));
    watch.looked(false);
    watch.given(start, false, true); // tasks with a timeout count from the end of the one before
    BOOST_TEST((pause() == duration(2ms)));
    watch.looked(false);
    BOOST_TEST((pause() == duration(2ms)));
}

BOOST_AUTO_TEST_CASE(one_that_works_in_silence_may_be_stopped)
{
    silence_watch watch;
    BOOST_TEST((watch.stop_due(0) == never));
    watch.given(start, true, false);
    BOOST_TEST((watch.stop_due(1) == start + stop_judge::first_look));
    watch.given(start + 100ms, false, false); // which is no sign of it
    BOOST_TEST((watch.stop_due(1) == start + stop_judge::first_look));
    watch.heard(start + 200ms);
    BOOST_TEST((watch.stop_due(1) == start + 200ms + stop_judge::first_look));
    const time_point now = start + 1s;
    BOOST_TEST((watch.judge_stop(now, 0, false) == stop_judge::verdict::leave));
    BOOST_TEST((watch.stop_due(1) == now + stop_judge::pause));
}

BOOST_AUTO_TEST_SUITE_END()
