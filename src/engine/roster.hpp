// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_ROSTER_HPP
#define TWAT_MP_SRC_ENGINE_ROSTER_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include <twat/mp/options.hpp>

#include "backend/backend.hpp"
#include "engine/crew.hpp"
#include "engine/idle_bound.hpp"
#include "engine/node_table.hpp"
#include "engine/restart_policy.hpp"
#include "engine/start_turns.hpp"

namespace twat::mp::detail {

/** Who works for a pool: the one place that decides how many workers there are, when one starts, ends or is replaced, and whether the pool is
    broken. No I/O and no clock: it is told what happens, and what is to be done about it is fetched by `take_actions`.

    A pool has nodes, numbered from 0. A node that is *wanted* has a worker, or gets one: at its turn (`start_turns`), after a pause if starts fail
    (`restart_policy`), and not while the pool is broken. `min_nodes` nodes are always wanted, the others between `grow` and `retire`.

    Workers that come and go by themselves have no nodes: none is launched, replaced or held against the pool.
*/
class roster
{
public:
    struct settings
    {
        std::size_t nodes = 1;
        std::size_t min_nodes = std::numeric_limits<std::size_t>::max(); ///< More than `nodes`: all of them.
        duration idle_timeout{};                                         ///< Zero: nodes are wanted for ever.
        duration start_timeout = duration::max();
        restart_limit restarts{};
        std::size_t starts_at_once = std::numeric_limits<std::size_t>::max();
        bool can_kill = true;
        bool launches = true; ///< Otherwise workers come by themselves, and have no nodes.
        std::uint32_t seed = 1;
    };

    struct action
    {
        enum kind { launch, end, broken } what;
        worker_id worker = 0;
        std::size_t node = 0;
        end_mode how{};
        friend bool operator==(const action&, const action&) = default;
    };

    explicit roster(settings s);

    /// What is to be done, in this order. To be asked for after each call that is not const.
    std::vector<action> take_actions() noexcept { return std::exchange(actions_, {}); }
    bool has_actions() const noexcept { return !actions_.empty(); }

    // What is wanted.
    /// From now on workers are started.
    void start(time_point now);
    /// No worker is started any more.
    void close() noexcept;
    /// Somebody wants a broken pool: tries one worker, unless that is hopeless or was done a moment ago. Returns whether one is being tried.
    bool try_again(time_point now);
    /// Starts the worker that will take the place of this one, which goes on.
    void succeed(worker_id worker, time_point now);
    /// The worker, which is idle, ends in order; another takes its place, unless its successor is there.
    void leave(worker_id worker, time_point now);
    /// The worker is killed, and another takes its place.
    void replace(worker_id worker, time_point now);

    // How many.
    std::size_t nodes() const noexcept { return nodes_.size(); }
    std::size_t kept() const noexcept;
    std::size_t wanted() const noexcept { return nodes_.wanted(); }
    /// Wanted nodes whose worker is not ready.
    std::size_t coming() const noexcept;
    bool may_grow() const noexcept { return started_ && !closed_ && wanted() < nodes(); }
    bool may_shrink() const noexcept { return idle_bound_.bounded() && started_ && !closed_ && wanted() > kept(); }
    /// Wants so many nodes more, or all that there are.
    void grow(std::size_t count, time_point now);
    /// The worker, which is idle, ends in order, and its node is wanted no more.
    void retire(worker_id worker, time_point now);
    /// How long a worker may be idle before it is one too many.
    duration idle_limit() const noexcept { return idle_bound_.get(); }
    /// The pool has so many nodes from now on. Returns the workers of nodes that are gone; they are to be retired when they are idle.
    std::vector<worker_id> resize(std::size_t nodes, time_point now);
    /// How long a start takes, by those that were seen.
    duration start_time() const noexcept { return start_time_; }

    // What workers do.
    void started(worker_id worker, time_point now);
    struct arrival
    {
        bool takes_work = true;                ///< Otherwise it is about to end.
        bool mends = false;                    ///< The pool was broken, and is whole.
        std::vector<worker_id> predecessors{}; ///< That it follows: they may leave.
    };
    /// Also for a worker that came by itself.
    arrival ready(worker_id worker, time_point now);
    void gone(worker_id worker, const worker_loss& loss, time_point now);

    // Time.
    /// Nobody looks at the workers for a while: how long those take that start now says nothing.
    void look_away() noexcept
    {
        for (const worker_id worker : crew_.starting())
            crew_.find(worker)->launched = time_point::max();
    }
    time_point next_due() const noexcept;
    /// Whether `tick` would find a worker late.
    bool judges(time_point now) const noexcept { return crew_.next_due() <= now; }
    /// @param used As for `start_turns::look`.
    template <class Used>
    void tick(time_point now, Used&& used)
    {
        if (next_due() > now)
            return;
        look_at_starts(now);
        if (turns_.waiting())
            turns_.look(now, used);
        begin_starts(now);
    }

    // What has become of it.
    bool broken() const noexcept { return policy_.broken(); }
    /// With `action::broken`: what the calls that wait complete with, and whether no worker will ever be ready.
    struct breakage
    {
        std::function<std::exception_ptr()> cause;
        bool for_good = false;
    };
    const breakage& why_broken() const noexcept { return breakage_; }
    /// Why a wanted node has no worker though others are ready: its starts fail, and are tried again with growing pauses. Empty: there is no such.
    std::function<std::exception_ptr()> why_incomplete() const;
    std::size_t died() const noexcept { return counts_.died; }
    std::size_t restarts() const noexcept { return counts_.restarts; }
    std::size_t starting() const noexcept { return crew_.starting().size(); }

private:
    using phase = crew::phase;

    void want(std::size_t node, time_point now);
    void set_wanted(std::size_t node, bool wanted);
    void fill(std::size_t count, time_point now);
    void begin_starts(time_point now);
    bool starts_none() const noexcept { return !started_ || closed_ || (policy_.broken() && !policy_.trying()); }
    void end(worker_id worker, crew::member& m, end_mode how);
    std::size_t join(worker_id worker);
    void lose(std::size_t node, bool was_ready, bool was_current, const worker_loss& loss, time_point now);
    void break_down(const worker_loss& loss);
    void look_at_starts(time_point now);
    void note_start(duration took) noexcept;

    settings settings_;
    restart_policy policy_;
    start_turns turns_;
    node_table nodes_;
    crew crew_;
    idle_bound idle_bound_;
    std::vector<action> actions_;
    breakage breakage_;
    struct
    {
        std::size_t died = 0, restarts = 0;
    } counts_;
    bool started_ = false, closed_ = false;
    duration start_time_;
};

} // namespace twat::mp::detail

#endif
