// SPDX-License-Identifier: BSL-1.0
#include "process/worker_fsm.hpp"

namespace twat::mp::detail {

worker_action worker_fsm::resume(worker_input input) noexcept
{
    using phase = worker_phase;
    using action = worker_action;
    if (phase_ == phase::dead)
        return action::none;
    switch (input) {
    case worker_input::launched:
        return phase_ == phase::launching ? enter(phase::greeting, action::greet) : action::none;
    case worker_input::greeted:
        if (phase_ == phase::killed)
            return action::none;
        was_greeted_ = was_greeted_ || phase_ == phase::greeting;
        return phase_ == phase::greeting ? enter(phase::initializing, action::none)
                                         : enter(phase::killed, action::kill);
    case worker_input::ready:
        if (phase_ == phase::killed)
            return action::none;
        if (phase_ != phase::initializing)
            return enter(phase::killed, action::kill);
        was_ready_ = true;
        return enter(phase::ready, action::take_work);
    case worker_input::unfit: return phase_ == phase::killed ? action::none : enter(phase::killed, action::kill);
    case worker_input::leave:
        if (phase_ == phase::killed || phase_ == phase::leaving)
            return action::none;
        told_to_end_ = true;
        // One that is not ready would finish its initializer first, however long that takes.
        return phase_ == phase::ready ? enter(phase::leaving, action::say_goodbye) : enter(phase::killed, action::kill);
    case worker_input::kill:
        told_to_end_ = true;
        return phase_ == phase::killed ? action::none : enter(phase::killed, action::kill);
    case worker_input::lost:
        phase_ = phase::dead;
        if (told_to_end_)
            return action::report_end;
        return was_ready_ ? action::report_death : action::report_failed_start;
    }
    return action::none;
}

} // namespace twat::mp::detail
