// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WARDEN_HPP
#define TWAT_MP_SRC_PROCESS_WARDEN_HPP

#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <string>

#include <twat/mp/options.hpp>

#include "os/launcher.hpp"

namespace twat::mp::detail {

class launch_thread;

/// How a child ended.
struct exit_status
{
    /// False when the application had the child reaped: SIGCHLD ignored, or a wait for any child.
    bool known = false;
    int signal = 0;           ///< That killed it; 0 if none.
    int code = 0;             ///< Otherwise, its exit code.
    std::size_t peak_rss = 0; ///< Its largest resident size, in bytes; 0 if it is not known.
    memory_verdict out_of_memory = memory_verdict::unknown;
};

/** A child process in the warden's care, which reaps it whether or not anybody still holds this object.

    Every member may be called from any thread, at any time, also before the child runs and after it is gone. In a process
    forked from the one that launched the child, none has an effect.
*/
class child
{
public:
    child() = default;
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    /// 0 before it was launched; kept when it is gone.
    virtual int pid() const noexcept = 0;

    /// The file or the call that its launch failed at; empty if it did not.
    virtual std::string failed_at() const = 0;

    /// The end of what it has written to its standard error, if the request had that captured. All of it, once `on_exit` is called.
    virtual std::string error_tail() const = 0;

    /// Sends a signal, through the pidfd: never to another process that got the same number. Whether there was a child to send it to.
    virtual bool signal(int number) noexcept = 0;

    /// The signal that has stopped it; 0 if it runs, is gone, or somebody else was told of it (a wait for any child, with WUNTRACED).
    virtual int stop_signal() const noexcept = 0;

    /// SIGCONT, to the child and to what it started and left in its process group.
    virtual void resume() noexcept = 0;

    /** Ends a child that was asked to end, and escalates: SIGTERM, SIGKILL, and then nothing is left but to say so.

        Each step follows when the child is still there so long after the one before. A later call begins anew, with its own
        durations. A child whose launch has not begun is not launched. `on_abandoned` is called, if at all, once and on a warden's thread;
        a child that is abandoned is still reaped when the system lets go of it.
    */
    virtual void end(duration before_sigterm, duration before_sigkill, duration before_abandon,
                     std::function<void()> on_abandoned) = 0;

    /// SIGKILL at once, to the child and to what it started and left in its process group. A child whose launch has not begun is not
    /// launched; one that is being launched is killed when it is there.
    virtual void kill() noexcept = 0;

    /// No callback begins after this (one may be under way on another thread). The child lives on and is reaped.
    virtual void forget() noexcept = 0;

protected:
    ~child() = default;
};

/** Has the children of this process launched and reaped, off the event loops of the application.

    One for the process, made at first use and never destroyed: children outlive pools. It reaps on a thread of its own, and launches on those
    that pools bring along. It installs no handler and waits for no child but its own.
*/
class warden
{
public:
    /// The process's. In a process that was forked from another one it is a new one, which knows nothing of the other's children.
    /// Throws if it has to be made and the descriptors for that cannot be had.
    static warden& instance();

    /** Begins to launch a child.

        @param by In whose name; if missing, in the calling thread's.
        `on_launched` is called exactly once, on a warden's thread: with no error when the child runs the other program, with
        `asio::error::operation_aborted` if it was ended before its launch began. `on_exit` is called exactly once, later, if
        and only if the launch succeeded. Neither may throw or block. Both are destroyed after the last call. Throws only if
        memory or threads for launching cannot be had; then nothing is called.
    */
    virtual std::shared_ptr<child> launch(launch_request request,
                                          std::function<void(boost::system::error_code)> on_launched,
                                          std::function<void(exit_status)> on_exit,
                                          std::shared_ptr<launch_thread> by = {}) = 0;

    warden(const warden&) = delete;
    warden& operator=(const warden&) = delete;

protected:
    warden() = default;
    ~warden() = default;
};

} // namespace twat::mp::detail

#endif
