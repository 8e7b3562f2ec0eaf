// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_CRASH_REPORT_HPP
#define TWAT_MP_SRC_WORKER_CRASH_REPORT_HPP

namespace twat::mp::detail {

/** Lets a worker leave its stack to its parent: when it crashes, and when it is asked.

    Handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT where they have their default action: a handler that the program or a sanitizer
    installed stays. The handler writes the stack into the shared memory and gives the same signal its default action, with the same
    information, so that exit status and core dump are what they were. The calling thread gets an alternate stack, unless it has one: an
    overflow of its stack is handled too. (Not that of a thread which a task makes: it has none.)

    A real-time signal asks for the stack of the calling thread: the last one that has its default action, in case the program uses others.
*/
class crash_report
{
public:
    /// Once, early, in the thread that is to run the tasks. @param page The descriptor of the shared memory. Without it nothing is done.
    static void install(int page) noexcept;
};

} // namespace twat::mp::detail

#endif
