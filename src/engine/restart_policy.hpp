// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_RESTART_POLICY_HPP
#define TWAT_MP_SRC_ENGINE_RESTART_POLICY_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <twat/mp/options.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/// A worker that ended unasked while it held no task: while it started, in its initializer, or idle.
struct lost_worker
{
    std::size_t node = 0;
    bool was_ready = false;         ///< It had finished its initializer.
    bool others_ready = false;      ///< Another worker takes tasks.
    bool initializer_threw = false; ///< That is why it was never ready.
    bool no_room = false;           ///< The system lacked memory, processes or descriptors for it.
    bool stuck = false;             ///< A thread that goes on with its initializer: nothing can take its place.
    bool fails_again = false;       ///< Another start now would fail in the same way.
    bool for_good = false;          ///< And so would every later one.
    bool nobody_left = false;       ///< No worker of any node can start now.
};

/** When a worker that was lost outside of a task is replaced, when the pool is broken by such losses, and when a broken pool tries again.

    A worker that dies in a task is not this class's business: the death is that task's error, and a replacement starts at once.

    Losses are counted in a sliding window. Up to the limit a replacement starts at once; a worker that never became ready is replaced
    after 10 ms, and while starts go on to fail after 0.1 s, 0.2 s ... 5 s, give or take a quarter, so that a program that cannot start does not
    burn the machine. One loss more than the limit within the window breaks the pool. So do starts that have failed for longer than the window,
    and than 10 s, while no worker takes tasks; and, before any worker was ready, a failure that is certain to repeat itself.

    A start that fails while another worker takes tasks counts for nothing: the pool serves on with what it has, and that node is tried again
    after 10 ms, 0.1 s, 0.2 s ... 60 s.

    A broken pool tries one worker after 1 s, 2 s, 4 s ... 60 s, whenever somebody asks for it and the pause is over, and is whole again when a
    worker is ready. If it breaks again within the window after that, the pauses go on to grow where they were.
*/
class restart_policy
{
public:
    restart_policy(restart_limit limit, std::size_t nodes, std::uint32_t seed = 1);

    /// The pool has so many nodes from now on.
    /// Returns how many it knew.
    std::size_t resize(std::size_t nodes);
    /// Whether the node is to have a worker; each is, to begin with.
    void expect(std::size_t node, bool expected) { nodes_[node].expected = expected; }

    /// Returns when the worker's replacement may start; nothing: the pool is broken.
    std::optional<time_point> on_loss(const lost_worker& lost, time_point now);

    /// A worker finished its initializer. Returns whether that mends the pool: then all nodes may start.
    bool on_ready(std::size_t node, time_point now);

    bool broken() const noexcept { return state_ != state::whole; }
    /// Of a broken pool: whether a worker is being tried.
    bool trying() const noexcept { return state_ == state::trying; }
    /// Of a broken pool: whether it may ever be mended.
    bool mends() const noexcept { return !for_good_; }
    /// Of a broken pool: whether a worker may be tried now; from then on one is, until `on_loss` or `on_ready`.
    bool try_again(time_point now) noexcept;

    /// What broke the pool, for the user; empty if its cause says it all. @pre `broken()`
    const std::string& why_broken() const noexcept { return why_; }
    bool ever_ready() const noexcept { return ever_ready_; }
    /// Whether no worker has become ready since the last failed start.
    bool starts_fail() const noexcept { return failed_starts_ != 0; }
    /// Starts of the node's workers that have failed in a row.
    std::size_t failed_starts(std::size_t node) const noexcept { return nodes_[node].failed; }
    std::size_t limit() const noexcept { return count_; }

private:
    enum class state { whole, broken, trying };

    std::nullopt_t break_for(const lost_worker& lost, time_point now, std::string why);
    bool all_initializers_threw() const noexcept;
    duration part_of(duration pause);

    struct node_state
    {
        bool expected = true;
        bool threw = false;     ///< Its last start ended with an exception of the initializer.
        std::size_t failed = 0; ///< Starts in a row.
    };

    restart_limit limit_;
    std::size_t count_ = 0;
    duration window_;
    std::deque<time_point> losses_;
    std::vector<node_state> nodes_;
    std::size_t failed_starts_ = 0; ///< In a row.
    time_point failing_since_{};
    std::minstd_rand random_;
    bool ever_ready_ = false;

    state state_ = state::whole;
    bool for_good_ = false;
    std::string why_;
    std::size_t trials_ = 0; ///< In a row, and the first break.
    time_point next_trial_{};
    std::optional<time_point> mended_at_;
};

} // namespace twat::mp::detail

#endif
