// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_LOOP_TURN_HPP
#define TWAT_MP_SRC_PROCESS_LOOP_TURN_HPP

#include "backend/worker_set.hpp"

namespace twat::mp::detail {

/** How long the pool goes on with what its workers have sent before others on the loop get their turn.

    Hundreds of workers may have something to tell at once, each on a handler of its own: together they have one turn.
*/
class loop_turn
{
public:
    /// What is decided and sent after a turn takes as long again.
    static constexpr duration length = std::chrono::microseconds(30);
    /// Who comes sooner behind the end of a turn was in line with it: nobody else can have had one in between.
    static constexpr duration between = std::chrono::microseconds(2);

    /// When the turn is over in which something is taken now.
    time_point until(time_point now) noexcept
    {
        if (now - last_ > between)
            until_ = now + length;
        last_ = now;
        return until_;
    }

    /// The pool was at work until now.
    void worked_until(time_point now) noexcept { last_ = now; }

    /// Others had their turn.
    void begin_anew() noexcept { last_ = {}; }

private:
    time_point until_{}, last_{};
};

} // namespace twat::mp::detail

#endif
