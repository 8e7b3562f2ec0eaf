// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_FSM_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_FSM_HPP

namespace twat::mp::detail {

enum class worker_phase {
    launching,    ///< There may be a process already.
    greeting,     ///< It was told what it is, and has not answered.
    initializing, ///< It is what it should be, and runs the initializer.
    ready,        ///< It takes chunks.
    leaving,      ///< It was told to end in order.
    killed,       ///< It was told to end at once.
    dead,
};

enum class worker_input {
    launched,
    greeted, ///< It answered, and is the same build.
    ready,   ///< The initializer has run.
    unfit,   ///< The launch failed, it is another build, its initializer failed, it was too slow or talks nonsense.
    leave,   ///< Wanted: it ends in order.
    kill,    ///< Wanted: it ends at once.
    lost,    ///< The process has ended, or never began.
};

enum class worker_action {
    none,
    greet,     ///< Say hello.
    take_work, ///< Report it as ready.
    say_goodbye,
    kill,
    report_failed_start, ///< It is gone and was never ready.
    report_death,        ///< It is gone, unasked.
    report_end,          ///< It is gone, as it was told.
};

/** What a worker process goes through, and what is to be done at each step. Touches nothing itself. */
class worker_fsm
{
public:
    worker_action resume(worker_input input) noexcept;

    worker_phase phase() const noexcept { return phase_; }
    bool was_ready() const noexcept { return was_ready_; }
    bool was_greeted() const noexcept { return was_greeted_; }
    /// Whether something is expected of it, unless it holds chunks.
    bool is_starting() const noexcept { return phase_ < worker_phase::ready; }

private:
    worker_action enter(worker_phase phase, worker_action action) noexcept
    {
        phase_ = phase;
        return action;
    }

    worker_phase phase_ = worker_phase::launching;
    bool was_greeted_ = false;
    bool was_ready_ = false;
    bool told_to_end_ = false;
};

} // namespace twat::mp::detail

#endif
