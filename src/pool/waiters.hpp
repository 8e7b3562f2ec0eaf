// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_WAITERS_HPP
#define TWAT_MP_SRC_POOL_WAITERS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/pool_core.hpp>

#include "engine/operation_table.hpp"
#include "time/saturating.hpp"

namespace twat::mp::detail {

/** Who waits for a pool itself, and not for a call: for its workers to be ready, for its end, for what its workers do.

    Lives on the pool's strand. A handler that completes only posts; one that is destroyed uncalled may hold the pool and call into it.
*/
class waiters
{
public:
    using start_handler = pool_core::start_handler;
    using drain_handler = pool_core::drain_handler;
    using dump_handler = pool_core::dump_handler;
    using error_maker = std::function<std::exception_ptr()>;

    /// What has happened in a pool up to some moment.
    struct progress
    {
        operation_table::endings ended;
        std::size_t tasks = 0; // with an outcome
    };

    bool any() const noexcept { return any_start() || !joins_.empty() || !drains_.empty() || !dumps_.empty(); }

    // For workers that are ready.
    /// A start that will wait, once what happened before it has been told.
    void expect_start() noexcept { ++starting_; }
    void add_start(start_handler handler)
    {
        --starting_;
        starts_.push_back(std::move(handler));
    }
    bool any_start() const noexcept { return starting_ != 0 || !starts_.empty(); }
    /// Whether some wait already.
    bool any_to_complete() const noexcept { return !starts_.empty(); }
    /// @param error Empty: they are ready.
    void complete_starts(const error_maker& error) { complete(starts_, error); }

    // For the end.
    void add_join(start_handler handler) { joins_.push_back(std::move(handler)); }
    void add_drain(drain_handler handler, time_point now, duration limit, const progress& so_far)
    {
        drains_.push_back({std::move(handler), now, so_far});
        drained_by_ = std::min(drained_by_, saturating_add(now, limit));
    }
    bool any_for_the_end() const noexcept { return !joins_.empty() || !drains_.empty(); }
    /// When what has not ended is ended, also if nobody waits for the `drain` any more; `time_point::max()`: never.
    time_point drained_by() const noexcept { return drained_by_; }
    void forget_limit() noexcept { drained_by_ = time_point::max(); }
    void complete_joins(const error_maker& error) { complete(joins_, error); }
    bool any_drain() const noexcept { return !drains_.empty(); }
    void complete_drains(const error_maker& error, time_point now, const progress& in_the_end)
    {
        for (drain_waiter& waiter : std::exchange(drains_, {})) {
            drain_report report;
            report.finished = in_the_end.ended.finished - waiter.so_far.ended.finished;
            report.terminated = in_the_end.ended.terminated - waiter.so_far.ended.terminated;
            report.in_time = report.terminated == 0;
            report.tasks = in_the_end.tasks - waiter.so_far.tasks;
            report.took = now - waiter.called;
            std::move(waiter.handler)(error ? error() : nullptr, report);
        }
    }

    // For what workers do.
    /// @return What `take_dump` finds it by.
    std::uint64_t add_dump(dump_handler handler)
    {
        dumps_.emplace(++last_dump_, std::move(handler));
        return last_dump_;
    }
    /// Empty: it has been completed.
    dump_handler take_dump(std::uint64_t number)
    {
        auto found = dumps_.extract(number);
        return found ? std::move(found.mapped()) : dump_handler();
    }
    void fail_dumps(const error_maker& error)
    {
        for (auto& [number, handler] : std::exchange(dumps_, {}))
            std::move(handler)(error(), pool_dump());
    }

private:
    struct drain_waiter
    {
        drain_handler handler;
        time_point called;
        progress so_far; // before it was called
    };

    static void complete(std::vector<start_handler>& waiting, const error_maker& error)
    {
        for (auto& handler : std::exchange(waiting, {}))
            std::move(handler)(error ? error() : nullptr);
    }

    std::size_t starting_ = 0;
    std::vector<start_handler> starts_;
    std::vector<start_handler> joins_;
    std::vector<drain_waiter> drains_;
    time_point drained_by_ = time_point::max();
    std::map<std::uint64_t, dump_handler> dumps_;
    std::uint64_t last_dump_ = 0;
};

} // namespace twat::mp::detail

#endif
