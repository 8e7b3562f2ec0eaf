// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_WATCHDOG_HPP
#define TWAT_MP_SRC_WORKER_WATCHDOG_HPP

#include <atomic>
#include <cstdint>
#include <functional>

namespace twat::mp::detail {

/** A thread that ends the worker with its parent, however busy the worker is, and hears the doorbell.

    It waits for the hang-up of the socket and reads nothing from it. A hang-up ends the process at once, together with what
    tasks have started and left in the worker's process group; so a parent that wants a worker to end in order keeps its
    socket open until the worker is gone.
*/
class watchdog
{
public:
    /// Starts the thread, once in a process. It blocks all signals. Ends the process if there can be no thread.
    static void start(int socket, int doorbell) noexcept;

    /// `rung` is called on the watchdog's thread each time the doorbell was written to; several writes may become one call.
    /// What was rung before this is told at once. Must not throw or block: nobody watches meanwhile.
    static void on_doorbell(std::function<void()> rung);

    /** Pauses the worker while its parent is stopped, as by Ctrl-Z in a terminal: SIGSTOP, to it and all in its process group.

        The parent lets it go on. Looks at the parent only from a doorbell on until `busy` says false: an idle worker sleeps, and has nothing
        to pause.
        @param busy Called on the watchdog's thread. @param paused Is set before the signal, so that the parent knows who sent it.
    */
    static void pause_with_parent(std::function<bool()> busy, std::atomic<std::uint64_t>& paused);
};

} // namespace twat::mp::detail

#endif
