// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_CHAOS_HPP
#define TWAT_MP_CHAOS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <twat/mp/config.hpp>

namespace twat::mp {

/** How often something is late, and by how much; see `chaos_options`. */
struct chaos_delay
{
    double probability = 0;          ///< From 0 to 1.
    std::chrono::nanoseconds time{}; ///< By how much it is late.

    /// Never late.
    constexpr chaos_delay() = default;
    /// Always late by so much; zero: never.
    template <class Rep, class Period>
    constexpr chaos_delay(std::chrono::duration<Rep, Period> always) noexcept
        : probability(always == always.zero() ? 0 : 1), time(always)
    {}
    /// Late by so much, with a probability from 0 to 1.
    constexpr chaos_delay(double probability, std::chrono::nanoseconds time) noexcept
        : probability(probability), time(time)
    {}

    friend constexpr bool operator==(const chaos_delay&, const chaos_delay&) = default;
};

/** Faults that a pool makes by itself, so that tests find out what a program does about them; see `pool_options::chaos`.

    What is hit follows from the seed and from what was asked of the pool: the same operations in the same order (an operation is hit by its
    running number, a task by that and its index, a start by its running number) meet the same faults, however many workers there are and whichever
    runs what. A task that is run again (`call_options::retries`) is another throw of the dice.

    All of it is off by default. A pool with chaos says so on the standard error when it starts its workers, so that it is not left on unnoticed.
    `mp::inline_pool`, which has no workers, ignores it.

    @par Example
    @code
    mp::process_pool pool({.nodes = 2, .chaos = {.seed = 7, .kill = 0.1, .delay = {0.05, std::chrono::milliseconds(5)}}});
    const std::vector<int> pages(60, 1), expected(60, 101);
    BOOST_TEST(sizes(pool, pages) == expected, boost::test_tools::per_element());
    BOOST_TEST(pool.stats().chaos.kills != 0u); // or the test has shown nothing
    @endcode
*/
struct chaos_options
{
    /// Of the dice.
    std::uint64_t seed = 0;
    /// The probability that a worker process is killed (SIGKILL) in a task: before the function is called, while it runs, or when it has returned and its
    /// result is not yet known. The task ends as after any death: with `mp::worker_died`, or it runs again (`call_options::retries`). Not for threads.
    double kill = 0;
    /// Starts of workers that take longer, before the initializer; counts for `pool_options::start_timeout`.
    chaos_delay slow_start{};
    /// Results that come later: the function has returned, but to the pool its task still runs, so that timeouts and cancellation hold.
    chaos_delay delay{};
    /// The probability that an operation is refused with `errc::queue_full`.
    double refuse = 0;

    /// Whether any of it is on.
    constexpr bool any() const noexcept
    {
        return kill > 0 || refuse > 0 || (slow_start.probability > 0 && slow_start.time.count() > 0) ||
               (delay.probability > 0 && delay.time.count() > 0);
    }

    friend constexpr bool operator==(const chaos_options&, const chaos_options&) = default;
};

/** The faults that a pool has made so far; see `pool_stats::chaos`. */
struct chaos_stats
{
    std::size_t kills = 0;       ///< Tasks whose worker was killed.
    std::size_t slow_starts = 0; ///< Starts of workers that took longer.
    std::size_t delays = 0;      ///< Results that came later.
    std::size_t refusals = 0;    ///< Operations that were refused; also counted in `pool_stats::refused`.

    friend constexpr bool operator==(const chaos_stats&, const chaos_stats&) = default;
};

/** Reads what the environment variable `TWAT_MP_CHAOS` holds: `seed=7,kill=0.01,slow_start=200ms,delay=0.05:50ms,refuse=0.01`.

    Each key is optional and may stand there once. Probabilities are numbers from 0 to 1. A time is a whole number with `ns`, `us`, `ms` or `s` behind
    it; `slow_start` and `delay` take a probability, a colon and a time, or a time alone (always). The empty string: no chaos.

    @throws std::invalid_argument that names the key and says what is wrong with it.

    @par Thread Safety
    Safe.
*/
TWAT_MP_DECL chaos_options parse_chaos(std::string_view text);

/// The same as text, which `parse_chaos` reads. What is off is left out.
TWAT_MP_DECL std::string to_string(const chaos_options& options);

} // namespace twat::mp

#endif
