// SPDX-License-Identifier: BSL-1.0
#include "time/saturating.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

namespace mp = twat::mp;
namespace detail = twat::mp::detail;
using mp::duration;
using time_point = detail::time_of<std::chrono::steady_clock>;
using namespace std::chrono_literals;

namespace {

constexpr duration most = duration::max(), least = duration::min();
constexpr time_point at(duration since_epoch) { return time_point(since_epoch); }

} // namespace

BOOST_AUTO_TEST_SUITE(test_saturating)

BOOST_AUTO_TEST_CASE(sums_of_durations_stop_at_the_ends_of_the_range)
{
    const struct
    {
        duration a, b, sum;
    } table[] = {
        {1s, 2s, 3s},
        {-1s, 1s, 0s},
        {most - 1ns, 1ns, most},
        {most - 1ns, 2ns, most},
        {most - 2ns, 1ns, most - 1ns},
        {most, 0s, most},
        {most, most, most},
        {least + 1ns, -1ns, least},
        {least + 1ns, -2ns, least},
        {least, least, least},
        // no limit stays no limit
        {most, -1s, most},
        {-1s, most, most},
        {most, least, most},
        {least, most, most},
    };
    for (const auto& row : table)
        BOOST_TEST(detail::saturating_add(row.a, row.b).count() == row.sum.count(), row.a.count()
                                                                                        << " + " << row.b.count());
}

BOOST_AUTO_TEST_CASE(a_time_point_and_no_limit_is_never)
{
    const struct
    {
        time_point from;
        duration span;
        time_point sum;
    } table[] = {
        {at(5s), 2s, at(7s)},
        {at(5s), most, time_point::max()},
        {at(5s), most - 1s, time_point::max()},
        {at(-5s), most, time_point::max()}, // a clock may begin wherever it likes
        {at(5s), most - 6s, at(most - 1s)},
        {time_point::max(), 1s, time_point::max()},
        {time_point::max(), -1s, time_point::max()},
        {time_point::max(), most, time_point::max()},
        {at(-5s), least, time_point::min()},
    };
    for (const auto& row : table)
        BOOST_TEST(detail::saturating_add(row.from, row.span).time_since_epoch().count() ==
                       row.sum.time_since_epoch().count(),
                   row.from.time_since_epoch().count() << " + " << row.span.count());
}

BOOST_AUTO_TEST_CASE(the_time_until_never_has_no_limit)
{
    const struct
    {
        time_point to, from;
        duration difference;
    } table[] = {
        {at(7s), at(5s), 2s},
        {at(5s), at(7s), -2s},
        {time_point::max(), at(5s), most},
        {time_point::max(), at(-5s), most},
        {time_point::max(), time_point::max(), most},
        {at(5s), time_point::min(), most},
        {at(-5s), time_point::max(), least},
        {time_point::min(), at(5s), least},
    };
    for (const auto& row : table)
        BOOST_TEST(detail::saturating_subtract(row.to, row.from).count() == row.difference.count(),
                   row.to.time_since_epoch().count() << " - " << row.from.time_since_epoch().count());
}

BOOST_AUTO_TEST_CASE(floating_point_nanoseconds_stop_at_the_ends_of_the_range)
{
    using limits = std::numeric_limits<double>;
    const struct
    {
        double nanoseconds;
        duration result;
    } table[] = {
        {0, 0s},
        {1.9, 1ns},
        {-1.9, -1ns},
        {1e9, 1s},
        {9.3e18, most},
        {9223372036854775808.0, most},                          // 2^63
        {9223372036854774784.0, duration(9223372036854774784)}, // the double below it
        {-9223372036854775808.0, least},
        {-9.3e18, least},
        {limits::infinity(), most},
        {-limits::infinity(), least},
        {limits::quiet_NaN(), most},
    };
    for (const auto& row : table)
        BOOST_TEST(detail::saturating_duration(row.nanoseconds).count() == row.result.count(), row.nanoseconds);
}

BOOST_AUTO_TEST_CASE(a_part_of_no_limit_is_no_limit)
{
    BOOST_TEST(detail::saturating_scale(most, 0.5).count() == most.count());
    BOOST_TEST(detail::saturating_scale(10s, 0.5).count() == duration(5s).count());
    BOOST_TEST(detail::saturating_scale(most - 1ns, 2).count() == most.count());
}

BOOST_AUTO_TEST_SUITE_END()
