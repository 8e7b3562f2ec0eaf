// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "os/spin_wait.hpp"

#include <boost/test/unit_test.hpp>

using namespace twat::mp;
using namespace twat::mp::detail;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_spin_wait)

namespace {

/// Waits that are left out before the next spin.
int left_out(spin_habit& habit)
{
    int waits = 0;
    while (!habit.may_spin())
        ++waits;
    return waits;
}

} // namespace

BOOST_AUTO_TEST_CASE(who_spins_in_vain_spins_ever_more_rarely)
{
    spin_habit habit;
    BOOST_TEST(left_out(habit) == 0);
    for (const int waits : {1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023}) {
        habit.note(spin_habit::outcome::in_vain);
        BOOST_TEST(left_out(habit) == waits);
    }
    habit.note(spin_habit::outcome::found);
    BOOST_TEST(left_out(habit) == 0);
}

BOOST_AUTO_TEST_CASE(a_full_machine_counts_for_more)
{
    spin_habit habit;
    habit.note(spin_habit::outcome::crowded);
    BOOST_TEST(left_out(habit) == 7);
    habit.note(spin_habit::outcome::crowded);
    BOOST_TEST(left_out(habit) == 63);
}

BOOST_AUTO_TEST_CASE(what_is_there_is_found_at_the_first_look)
{
    spin_wait spin(1h);
    int looks = 0;
    BOOST_TEST(spin([&] { return ++looks == 1; }));
    BOOST_TEST(looks == 1);
}

BOOST_AUTO_TEST_CASE(it_gives_up)
{
    spin_wait spin(1ms);
    int looks = 0;
    BOOST_TEST(!spin([&] {
        ++looks;
        return false;
    }));
    BOOST_TEST(looks > 0);
    looks = 0;
    BOOST_TEST(!spin([&] {
        ++looks;
        return true;
    })); // left out
    BOOST_TEST(looks == 0);
}

BOOST_AUTO_TEST_CASE(without_a_time_it_does_not_look)
{
    spin_wait spin;
    BOOST_TEST(!spin([] { return true; }));
}

BOOST_AUTO_TEST_SUITE_END()
