// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include <twat/mp/histogram.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <limits>

#include "engine/live_histogram.hpp"

using namespace twat::mp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(test_histogram)

BOOST_AUTO_TEST_CASE(every_value_has_a_bucket_whose_bounds_hold_it)
{
    for (std::int64_t n = 0; n < 60; ++n)
        for (const std::int64_t off : {-1, 0, 1}) {
            const histogram::duration value((std::int64_t(1) << n) + off);
            const std::size_t i = histogram::bucket_of(value);
            BOOST_TEST_REQUIRE(i < histogram::bucket_count);
            if (i + 1 < histogram::bucket_count)
                BOOST_TEST((value < histogram::upper_bound(i)));
            if (i > 0)
                BOOST_TEST((value >= histogram::upper_bound(i - 1)));
        }
    for (std::size_t i = 1; i < histogram::bucket_count; ++i)
        BOOST_TEST((histogram::upper_bound(i) > histogram::upper_bound(i - 1)));
    BOOST_TEST(histogram::bucket_of(-5ns) == 0u);
    BOOST_TEST(histogram::bucket_of(histogram::duration::max()) == histogram::bucket_count - 1);
}

BOOST_AUTO_TEST_CASE(counts_sums_and_means)
{
    histogram h;
    BOOST_TEST(h.count() == 0u);
    BOOST_TEST((h.mean() == 0ns));
    BOOST_TEST((h.quantile(0.5) == 0ns));
    BOOST_TEST(h.count_up_to(1h) == 0u);
    h.record(1ms);
    h.record(4ms, 2);
    h.record(1h, 0);
    h.record(-1ms);
    BOOST_TEST(h.count() == 4u);
    BOOST_TEST((h.sum() == 9ms));
    BOOST_TEST((h.mean() == 2250us));
}

BOOST_AUTO_TEST_CASE(quantiles_are_within_an_eighth)
{
    histogram h;
    for (int i = 1; i <= 10000; ++i)
        h.record(std::chrono::microseconds(i));
    for (const double q : {0.01, 0.1, 0.5, 0.9, 0.99, 1.0}) {
        const double found = std::chrono::duration<double, std::micro>(h.quantile(q)).count();
        BOOST_TEST(found > q * 10000 * 0.875);
        BOOST_TEST(found < q * 10000 * 1.125);
    }
    BOOST_TEST((h.quantile(-1) <= h.quantile(0.001)));
    BOOST_TEST((h.quantile(2) == h.quantile(1)));
}

BOOST_AUTO_TEST_CASE(counting_up_to_a_limit_never_falls)
{
    histogram h;
    for (int i = 0; i < 1000; ++i)
        h.record(std::chrono::microseconds(i * 17));
    std::uint64_t before = 0;
    for (auto limit = 0ns; limit < 25ms; limit += 13us) {
        const std::uint64_t n = h.count_up_to(limit);
        BOOST_TEST_REQUIRE(n >= before);
        before = n;
    }
    BOOST_TEST(before == 1000u);
    BOOST_TEST(h.count_up_to(histogram::duration::max()) == 1000u);
}

BOOST_AUTO_TEST_CASE(an_earlier_state_can_be_taken_away)
{
    histogram h;
    h.record(1ms, 5);
    const histogram earlier = h;
    h.record(100ms, 3);
    histogram since = h;
    since -= earlier;
    BOOST_TEST(since.count() == 3u);
    BOOST_TEST((since.sum() == 300ms));
    BOOST_TEST((since.quantile(0.01) > 50ms));
    since += earlier;
    BOOST_TEST((since == h));
    since -= histogram();
    BOOST_TEST((since == h));
}

BOOST_AUTO_TEST_CASE(a_live_one_tells_what_was_recorded)
{
    detail::live_histogram live;
    BOOST_TEST((live.snapshot() == histogram()));
    live.record(3ms, 2);
    live.record(7us);
    histogram same;
    same.record(3ms, 2);
    same.record(7us);
    BOOST_TEST((live.snapshot() == same));
}

BOOST_AUTO_TEST_SUITE_END()
