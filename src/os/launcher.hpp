// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_LAUNCHER_HPP
#define TWAT_MP_SRC_OS_LAUNCHER_HPP

#include <boost/system/error_code.hpp>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "os/descriptor.hpp"
#include "os/signal_set.hpp"

namespace twat::mp::detail {

/** What to start. Owns the child's ends: whoever launches closes them, so that the hang-up of the child is seen. */
struct launch_request
{
    /// Empty: this program, also when its file was replaced meanwhile; see `find_own_program`.
    std::filesystem::path executable;
    /// The child's argv[0], which is what process lists show. Its only argument, mostly.
    std::string title;
    /// NAME=value, in addition to `environ` and in place of the same names there.
    std::vector<std::string> environment;
    /// The child's descriptors 3, 4 and 5: socket, page, doorbell. The child gets /dev/null in place of one that is missing.
    std::array<unique_descriptor, 3> descriptors;
    /// The child's descriptor 2; if it is missing, the parent's.
    unique_descriptor error_output;
    /// The other end of `error_output`, a pipe, for the warden to read; may be missing.
    unique_descriptor captured;
    signal_set ignored = 0; ///< What the child ignores, whatever the parent does with it.
};

struct launched
{
    pid_t pid = 0;
    unique_descriptor pidfd{};
    std::string failed_at{}; ///< On failure: the file or the call.
};

/** Starts a child process and returns when it runs the other program.

    The child has exactly the descriptors 0 to 5: stdin is /dev/null, 1 and 2 are the parent's or, where those are closed
    or close on exec, /dev/null (2 may be given). Signals are ignored as the request says, all others have their default action, and none is
    blocked, whatever the parent does with them. It leads a process group of its own: what it starts can be ended with it, and a Ctrl-C in the
    terminal goes to the program alone, which may want to end its tasks in order. (If the program dies of it, the workers' watchdogs see that.)
    It has no controlling terminal: that would stop it when it reads, for its group is in the background, and nobody would let it go on.
    Instead `/dev/tty` cannot be opened. But it stays in the parent's session, so that the system kills it, if it is stopped, with the parent, and
    so that its niceness counts beside the parent's threads (`sched_autogroup` divides time by session first).
    Working directory, user, limits, scheduling, affinity, sandboxes and whatever else Linux hands down are the calling thread's.

    May block for as long as the file system of the executable does: not for a thread that runs an event loop. On failure
    no process and no descriptor is left. No handler and no disposition of this process is touched, and no fork handler runs.
*/
launched launch(const launch_request& request, boost::system::error_code& ec);

} // namespace twat::mp::detail

#endif
