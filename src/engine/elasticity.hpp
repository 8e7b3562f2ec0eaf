// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_ELASTICITY_HPP
#define TWAT_MP_SRC_ENGINE_ELASTICITY_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "engine/roster.hpp"
#include "engine/state.hpp"

namespace twat::mp::detail {

/** Decides when a pool that keeps fewer workers than it may have wants more of them, and which idle ones are too many.

    More are wanted when tasks have waited for longer than a start takes, at most as many as there is work for; at once where there is nobody.
    Of the idle ones the last that came goes first: those that stay are warm. In a pool that keeps all its workers nothing of this costs anything.
*/
class elasticity
{
public:
    /// @param workers Outlives this; is told what is wanted.
    elasticity(roster& workers, std::size_t child_concurrency, bool elastic) noexcept
        : roster_(workers), child_concurrency_(child_concurrency), elastic_(elastic)
    {}

    using clock_type = std::function<time_point()>;

    // What there is to do.
    /// The operation waits for a worker, or has many tasks.
    void note_work(operation_state& op);
    /// A worker has come to the operation.
    void note_begin(operation_state& op);
    /// The worker holds nothing.
    void note_idle(ready_worker& worker, const clock_type& now);
    /// The worker was given a chunk.
    void note_given(ready_worker& worker) const noexcept
    {
        if (elastic_)
            worker.idle_since = {};
    }
    /// The pool may have another number of workers now. All operations, and all idle workers, are to be noted again.
    void restart(bool elastic) noexcept;

    /// @param free Workers that could begin a task. @param wanted Whether it makes sense to start any.
    void grow_if_tasks_wait(std::size_t free, bool wanted, const clock_type& now)
    {
        if (elastic_)
            look_at_work(free, wanted, now);
    }
    /// @param send_away Called with each worker that is one too many, which is to be retired.
    void shrink_if_idle(const std::vector<std::unique_ptr<ready_worker>>& workers, time_point now,
                        const std::function<void(ready_worker&)>& send_away);

    time_point grows_at() const noexcept { return grow_at_; }
    time_point shrinks_at() const noexcept { return roster_.may_shrink() ? shrink_at_ : time_point::max(); }

private:
    void look_at_work(std::size_t free, bool wanted, const clock_type& now);
    std::size_t wanted_by(const operation_state& op) const;
    std::size_t wanted_by_all(std::size_t most) const;
    time_point waiting_since() const;

    roster& roster_;
    const std::size_t child_concurrency_;
    bool elastic_; // fewer workers are kept than there may be
    hooked_list<operation_state, unbegun_tag> unbegun_, served_;
    time_point looked_at_{}; // the work, and found it not done
    time_point grow_at_ = time_point::max(), shrink_at_ = time_point::max();
};

} // namespace twat::mp::detail

#endif
