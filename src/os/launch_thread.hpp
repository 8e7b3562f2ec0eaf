// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_LAUNCH_THREAD_HPP
#define TWAT_MP_SRC_OS_LAUNCH_THREAD_HPP

#include <functional>
#include <memory>

#include "os/signal_set.hpp"

namespace twat::mp::detail {

/** A thread that launches children in the name of the thread that made it.

    Much of what a process has belongs to the single thread in Linux, and is handed down to the threads and processes that this one starts:
    affinity, niceness, scheduling class, memory policy, no_new_privs, seccomp filters, Landlock domains, capabilities, namespaces. Some of it
    can be neither read nor copied, only inherited. So a pool makes such a thread where it is made itself, and all its workers, also those that
    replace others much later, have what the pool's maker had then.

    Ends when nobody holds it and everything that was posted has been done. Members may be called from any thread.
*/
class launch_thread
{
public:
    /// Throws `std::system_error` if there can be no thread.
    /// @param nice Added to the niceness of the thread that makes this one: so much nicer are the children.
    explicit launch_thread(int nice = 0);
    launch_thread(const launch_thread&) = delete;
    launch_thread& operator=(const launch_thread&) = delete;
    ~launch_thread();

    /// Has the thread call it, in turn. It may block, and must not throw. Throws if there is no memory.
    void post(std::function<void()> launch);

    /// What its children are to ignore: as the program did when this was made.
    signal_set ignored() const noexcept { return ignored_; }

private:
    struct queue;

    std::shared_ptr<queue> queue_;
    signal_set ignored_;
};

} // namespace twat::mp::detail

#endif
