// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_OFF_LOOP_TIMER_HPP
#define TWAT_MP_SRC_OS_OFF_LOOP_TIMER_HPP

#include <chrono>
#include <cstdint>
#include <functional>

#include <sys/types.h>

namespace twat::mp::detail {

/** A timer that is no work on any execution context: it rings in a thread of the library's own, one for all of them, made at first use.

    For what has to happen in a pool that is idle, and must not keep its context from running out of work. Members are not to be called at the
    same time; different timers are independent.
*/
class off_loop_timer
{
public:
    off_loop_timer() noexcept = default;
    off_loop_timer(const off_loop_timer&) = delete;
    off_loop_timer& operator=(const off_loop_timer&) = delete;
    ~off_loop_timer() { clear(); }

    /// Calls `ring` at this moment, unless it is set again or cleared before; it may be under way then. It must not throw or block. Throws if
    /// there is no memory, or can be no thread.
    void set(std::chrono::steady_clock::time_point due, std::function<void()> ring);
    void clear() noexcept;

private:
    std::uint64_t key_ = 0; ///< 0: not set.
    std::chrono::steady_clock::time_point due_{};
    pid_t process_ = 0; ///< In which it was set: a forked one has no such thread.
};

} // namespace twat::mp::detail

#endif
