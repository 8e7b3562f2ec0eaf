// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_THREAD_STACK_HPP
#define TWAT_MP_SRC_OS_THREAD_STACK_HPP

#include <chrono>
#include <memory>
#include <string>

#include "os/captured_stack.hpp"

namespace twat::mp::detail {

/// What a thread of this process did when it was asked.
struct thread_stack
{
    std::shared_ptr<const captured_stack> stack; ///< Null: it did not say.
    bool holds = true;                           ///< What the condition said, in that thread.
    std::string why_not;                         ///< Why there is no stack.
};

/// Asked in the thread whose stack is wanted, in a signal handler: async-signal-safe.
struct thread_condition
{
    bool (*holds)(const void* context) = nullptr; ///< Null: always.
    const void* context = nullptr;
};

/** Asks another thread of this process for its stack, and waits for it.

    By a signal to that thread: a real-time signal of which this process has no handler when it is first needed, from then on with a handler that
    stays. A system call of the thread may end with EINTR, where SA_RESTART does not prevent it. A thread that blocks the signal is not sent it.

    Any thread may ask, also several for one thread: they take turns. A thread that is over is no error, nor is a number that has come to be
    another thread's.

    @param thread Its number, as `gettid` has it. @param patience How long to wait for the answer. @param condition Without it no stack is
    captured. Its context is not used any more when this returns.
*/
thread_stack ask_thread(int thread, std::chrono::nanoseconds patience, thread_condition condition = {});

} // namespace twat::mp::detail

#endif
