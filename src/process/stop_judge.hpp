// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_STOP_JUDGE_HPP
#define TWAT_MP_SRC_PROCESS_STOP_JUDGE_HPP

#include <algorithm>
#include <chrono>
#include <csignal>

#include <twat/mp/options.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** Decides about a worker that holds tasks and is silent: a signal may have stopped it, and it would be silent for ever.

    A worker that paused because the program did is resumed. One that the terminal stopped is killed: nobody would let it go on. Any other,
    when three looks in a row have found it stopped: whoever stops and continues the program and its workers one by one has at least half a
    second for that, however long the program itself was stopped.
*/
class stop_judge
{
public:
    static constexpr duration first_look = std::chrono::milliseconds(250), pause = std::chrono::milliseconds(500);
    static constexpr int most_looks = 3;

    enum class verdict { leave, resume, kill };

    /// When to look at it. @param last_sign When it was last heard of, or given work.
    time_point due(time_point last_sign) const noexcept { return std::max(last_sign + first_look, last_look_ + pause); }

    /// @param signal That has stopped it; 0: it runs. @param with_program Whether it says that it has paused with the program.
    verdict judge(time_point now, int signal, bool with_program) noexcept
    {
        last_look_ = now;
        if (signal == 0 || with_program) {
            seen_stopped_ = 0;
            return signal == 0 ? verdict::leave : verdict::resume;
        }
        ++seen_stopped_;
        return signal == SIGTTIN || signal == SIGTTOU || seen_stopped_ >= most_looks ? verdict::kill : verdict::leave;
    }

private:
    time_point last_look_{};
    int seen_stopped_ = 0; ///< In a row.
};

} // namespace twat::mp::detail

#endif
