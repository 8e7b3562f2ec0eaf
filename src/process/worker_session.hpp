// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_SESSION_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_SESSION_HPP

#include <cstdint>
#include <iosfwd>

#include <twat/mp/life_phase.hpp>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

enum class worker_phase {
    launching,    ///< There may be a process already.
    greeting,     ///< It was told what it is, and has not answered.
    initializing, ///< It is what it should be, and runs the initializer.
    ready,        ///< It takes chunks.
    leaving,      ///< It was asked to end in order.
    condemned,    ///< It is being killed because it is of no use.
    dismissed,    ///< It is being killed because the pool wants it to end.
    dead,
};

enum class worker_input {
    launched,
    greeted,  ///< It answered, and is the same build.
    ready,    ///< The initializer has run.
    unfit,    ///< It is another build, its initializer failed, it was too slow or sends malformed data.
    leave,    ///< Wanted: it ends in order.
    kill,     ///< Wanted: it ends at once.
    hung_up,  ///< Its end of the socket is closed.
    exited,   ///< The process has ended, or could not be launched.
    given_up, ///< SIGKILL does not end it.
    lost,     ///< After one of the last two, when all that it left behind was taken.
};

enum class worker_action {
    none,
    greet,     ///< Say hello.
    take_work, ///< Report it as ready.
    say_goodbye,
    kill,
    await_exit,          ///< Its end follows at once; if it does not, kill it.
    report_failed_start, ///< It is gone and was never ready.
    report_death,        ///< It is gone, unasked.
    report_end,          ///< It is gone, as it was asked to.
};

std::ostream& operator<<(std::ostream& to, worker_phase phase);
std::ostream& operator<<(std::ostream& to, worker_action action);

/** What a worker process goes through, and what is to be done at each step. Does no I/O and looks at no clock.

    Three things change on their own: how far the two sides have come with each other (`phase`), whether the worker can still be talked to, and
    whether there still is a process.
*/
class worker_session
{
public:
    worker_action resume(worker_input input) noexcept;

    worker_phase phase() const noexcept { return phase_; }
    bool is_starting() const noexcept { return phase_ < worker_phase::ready; }
    bool is_ready() const noexcept { return phase_ == worker_phase::ready; }
    bool is_being_killed() const noexcept
    {
        return phase_ == worker_phase::condemned || phase_ == worker_phase::dismissed;
    }
    /// What it does between its tasks; of one that is killed: what it did before.
    life_phase life() const noexcept;

    /// Nobody reads what would be written to it.
    bool has_hung_up() const noexcept { return line_ == line::closed; }
    bool has_exited() const noexcept { return process_ == process::exited; }
    bool is_given_up() const noexcept { return process_ == process::given_up; }
    /// Whether it is time for the last report of it.
    bool is_over() const noexcept { return process_ != process::alive; }
    /// Whether there is somebody at the other end.
    bool is_reachable() const noexcept { return !has_hung_up() && !has_exited(); }

    /// Whether something that it sends is waited for. @param busy Whether it holds a chunk that somebody wants.
    bool expects(bool busy) const noexcept;

    /// Asks it for a sign of life by then. Returns the number that its answer has to have.
    std::uint64_t ping(time_point due) noexcept;
    void pong(std::uint64_t number) noexcept;
    /// `time_point::max()`: nothing was asked.
    time_point ping_due() const noexcept { return ping_due_; }
    void forget_ping() noexcept { ping_due_ = time_point::max(); }

private:
    enum class line { open, closed };
    enum class process { alive, given_up, exited };

    worker_action enter(worker_phase phase, worker_action action) noexcept;

    worker_phase phase_ = worker_phase::launching;
    worker_phase reached_ = worker_phase::launching; ///< The last one before its end: at most `ready`.
    line line_ = line::open;
    process process_ = process::alive;
    std::uint64_t ping_ = 0;
    time_point ping_due_ = time_point::max();
};

} // namespace twat::mp::detail

#endif
