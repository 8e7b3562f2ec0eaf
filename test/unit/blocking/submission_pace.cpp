// SPDX-License-Identifier: BSL-1.0
#include "blocking/submission_pace.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp::detail;
using namespace std::chrono_literals;

namespace {

struct fixture
{
    submission_pace pace;
    submission_pace::clock::time_point now{1h};

    /// The thread does something else, then submits a call.
    bool submit(std::chrono::nanoseconds pause)
    {
        now += pause;
        const bool found = pace.is_one_of_many(now);
        now += 3us;
        pace.ended(now);
        return found;
    }
    /// How many calls without a pause are not taken for many.
    int guess()
    {
        submit(1ms);
        int single = 0;
        while (!submit(100ns))
            ++single;
        return single;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(test_submission_pace)

BOOST_FIXTURE_TEST_CASE(calls_that_are_waited_for_are_single_ones, fixture)
{
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(!submit(5us));
}

BOOST_FIXTURE_TEST_CASE(calls_without_a_pause_are_many_after_a_few, fixture)
{
    const int single = guess();
    BOOST_TEST(single > 0);
    BOOST_TEST(single < 20);
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(submit(100ns));
}

BOOST_FIXTURE_TEST_CASE(a_pause_ends_it, fixture)
{
    guess();
    BOOST_TEST(!submit(5us));
    BOOST_TEST(!submit(100ns));
}

BOOST_FIXTURE_TEST_CASE(wrong_guesses_become_rare, fixture)
{
    const int at_first = guess();
    guess();
    const int later = guess();
    BOOST_TEST(later > 2 * at_first);
}

BOOST_FIXTURE_TEST_CASE(a_guess_that_was_right_is_made_again_as_soon, fixture)
{
    const int at_first = guess();
    for (int i = 0; i < 1000; ++i)
        submit(100ns);
    BOOST_TEST(guess() == at_first);
}

BOOST_AUTO_TEST_SUITE_END()
