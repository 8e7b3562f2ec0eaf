// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_PROCESS_STATE_HPP
#define TWAT_MP_SRC_OS_PROCESS_STATE_HPP

#include <string>

namespace twat::mp::detail {

/** What the main thread of a child process of this one does, in words: "is in uninterruptible sleep in the system call fsync".

    Empty if that is no child of this process (any more), or /proc does not tell. Takes some 20 us.
*/
std::string describe_process_state(int pid);

/// The same of a thread of this process.
std::string describe_thread_state(int thread);

/// "fsync"; its number for one that is not known here.
std::string name_of_system_call(long number);

} // namespace twat::mp::detail

#endif
