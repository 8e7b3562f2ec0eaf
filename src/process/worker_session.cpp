// SPDX-License-Identifier: BSL-1.0
#include "process/worker_session.hpp"

#include <ostream>
#include <utility>

namespace twat::mp::detail {

worker_action worker_session::enter(worker_phase phase, worker_action action) noexcept
{
    phase_ = phase;
    if (phase <= worker_phase::ready)
        reached_ = phase;
    return action;
}

worker_action worker_session::resume(worker_input input) noexcept
{
    using phase = worker_phase;
    using action = worker_action;
    if (phase_ == phase::dead)
        return action::none;
    switch (input) {
    case worker_input::launched:
        return phase_ == phase::launching ? enter(phase::greeting, action::greet) : action::none;
    case worker_input::greeted:
        return phase_ == phase::greeting ? enter(phase::initializing, action::none) : resume(worker_input::unfit);
    case worker_input::ready:
        return phase_ == phase::initializing ? enter(phase::ready, action::take_work) : resume(worker_input::unfit);
    case worker_input::unfit:
        if (is_being_killed())
            return action::none;
        return enter(phase_ == phase::leaving ? phase::dismissed : phase::condemned, action::kill);
    case worker_input::leave:
        if (is_being_killed() || phase_ == phase::leaving)
            return action::none;
        // One that is not ready would finish its initializer first, however long that takes.
        return phase_ == phase::ready ? enter(phase::leaving, action::say_goodbye)
                                      : enter(phase::dismissed, action::kill);
    case worker_input::kill: return enter(phase::dismissed, is_being_killed() ? action::none : action::kill);
    case worker_input::hung_up:
        // Its end follows at once, unless it closed its socket and lives on.
        if (std::exchange(line_, line::closed) == line::closed || has_exited() || is_being_killed() ||
            phase_ == phase::leaving)
            return action::none;
        return action::await_exit;
    case worker_input::exited: process_ = process::exited; return action::none;
    case worker_input::given_up:
        if (process_ == process::alive)
            process_ = process::given_up;
        return action::none;
    case worker_input::lost: {
        const phase before = std::exchange(phase_, phase::dead);
        if (before == phase::leaving || before == phase::dismissed)
            return action::report_end;
        return reached_ == phase::ready ? action::report_death : action::report_failed_start;
    }
    }
    return action::none;
}

life_phase worker_session::life() const noexcept
{
    if (phase_ == worker_phase::leaving)
        return life_phase::finalizer;
    switch (reached_) {
    case worker_phase::initializing: return life_phase::initializer;
    case worker_phase::ready: return life_phase::idle;
    default: return life_phase::start;
    }
}

bool worker_session::expects(bool busy) const noexcept
{
    if (!is_reachable() || is_being_killed() || phase_ == worker_phase::dead)
        return false;
    return phase_ != worker_phase::ready || busy || ping_due_ != time_point::max();
}

std::uint64_t worker_session::ping(time_point due) noexcept
{
    ping_due_ = due;
    return ++ping_;
}

void worker_session::pong(std::uint64_t number) noexcept
{
    if (number == ping_)
        forget_ping();
}

std::ostream& operator<<(std::ostream& to, worker_phase phase)
{
    switch (phase) {
    case worker_phase::launching: return to << "launching";
    case worker_phase::greeting: return to << "greeting";
    case worker_phase::initializing: return to << "initializing";
    case worker_phase::ready: return to << "ready";
    case worker_phase::leaving: return to << "leaving";
    case worker_phase::condemned: return to << "condemned";
    case worker_phase::dismissed: return to << "dismissed";
    case worker_phase::dead: return to << "dead";
    }
    return to << "phase " << static_cast<int>(phase);
}

std::ostream& operator<<(std::ostream& to, worker_action action)
{
    switch (action) {
    case worker_action::none: return to << "none";
    case worker_action::greet: return to << "greet";
    case worker_action::take_work: return to << "take_work";
    case worker_action::say_goodbye: return to << "say_goodbye";
    case worker_action::kill: return to << "kill";
    case worker_action::await_exit: return to << "await_exit";
    case worker_action::report_failed_start: return to << "report_failed_start";
    case worker_action::report_death: return to << "report_death";
    case worker_action::report_end: return to << "report_end";
    }
    return to << "action " << static_cast<int>(action);
}

} // namespace twat::mp::detail
