// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_MONITOR_POOL_BOARD_HPP
#define TWAT_MP_SRC_MONITOR_POOL_BOARD_HPP

#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "monitor/failure_text.hpp"
#include "monitor/json.hpp"

namespace twat::mp::detail {

/// A failed task that can be looked at.
struct kept_failure
{
    std::uint64_t id = 0; ///< From 1, in the order of arrival.
    std::chrono::steady_clock::time_point when{};
    observed_failure seen{}; ///< But for label and host, whose characters may be gone, and the exception.
    std::string label{};
    std::string host{};
    failure_text text{};
};

/** What goes on in one pool: who runs what, how busy each worker was, and the last failures.

    The pool tells it each event on its strand, some 10^5 a second, and viewers ask rarely: events only change counters in place, and all that is kept has a bound. */
class pool_board final : public pool_observer
{
public:
    using clock = std::chrono::steady_clock;

    static constexpr std::size_t most_lanes = 2000;
    static constexpr std::size_t most_failures = 100;
    /// Failures that are kept of each second: looking at one costs microseconds, and a storm of them says nothing new.
    static constexpr std::size_t most_failures_a_second = 20;
    /// The pool waits meanwhile. What a program attaches to its exceptions may be slow to write, like a stack of its own.
    static constexpr auto most_describing_a_second = std::chrono::milliseconds(20);
    /// Bytes of the calls in kept failures.
    static constexpr std::size_t most_parcel_bytes = std::size_t(16) << 20;

    void happened(const trace_event& event) noexcept override;
    void failed(const observed_failure& failure) noexcept override;

    /// An array for each worker of the first `nodes`: node, process, whether it is ready, tasks that run, label, for how many milliseconds, tenant, first
    /// index, count, tasks that ended, busy milliseconds, deaths, resident bytes. Of pools over several hosts for each worker of these, with the host's
    /// name behind that.
    std::string lanes_json(std::size_t nodes, const std::vector<host_stats>& hosts, clock::time_point now) const;
    /// The failures, the latest first.
    std::string failures_json(clock::time_point now) const;
    std::optional<kept_failure> failure(std::uint64_t id) const;

    /// Adds rate and quantiles of the last seconds. To be called about once a frame.
    void add_recent(json_list& to, const pool_stats& stats, clock::time_point now);

    /// Worker processes, and where to put what memory they have.
    std::vector<int> processes() const;
    void set_memory(int pid, std::size_t bytes);

private:
    struct lane
    {
        int pid = 0;
        std::size_t ready = 0;   // more than one while it is replaced
        std::size_t running = 0; // chunks: several of coroutine tasks, or nested ones
        clock::time_point since{};
        std::string label;
        std::uint64_t tenant = 0, first = 0, count = 0, tasks = 0;
        std::chrono::nanoseconds busy{};
        std::size_t deaths = 0, memory = 0;
    };
    struct moment
    {
        clock::time_point when;
        std::size_t ended;
        histogram waits, runs;
    };

    /// Host, empty for workers of the pool's own, and node.
    using place = std::pair<std::string, std::size_t>;

    void change(const trace_event& event);
    bool make_room();
    static void add_lane(json_list& to, const place& where, const lane& at, clock::time_point now);
    void keep(const observed_failure& failure);
    std::size_t parcel_bytes() const;

    mutable std::mutex mutex_;
    std::map<place, lane> lanes_;
    std::deque<kept_failure> failures_;
    std::uint64_t last_failure_ = 0;
    clock::time_point second_{}; // the begin of the one in which failures are counted
    std::size_t in_second_ = 0;
    std::chrono::nanoseconds described_{}; // spent on descriptions in it
    std::deque<moment> past_;
};

} // namespace twat::mp::detail

#endif
