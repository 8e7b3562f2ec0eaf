// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_THREAD_SIGNAL_HPP
#define TWAT_MP_SRC_OS_THREAD_SIGNAL_HPP

#include <csignal>

namespace twat::mp::detail {

// Signals to one thread. May be called in a signal handler. System calls of Linux; FreeBSD would have to call thr_self and thr_kill2, macOS
// pthread_kill with the thread's handle, and neither lets what came with a signal be passed on.

/// The number by which the system knows the calling thread.
int this_thread_number() noexcept;

/// To a thread of this process.
void signal_thread(int thread, int signal) noexcept;

/// The same to the calling thread, with what came with it the first time, so that a core dump shows that.
void signal_this_thread_again(int signal, siginfo_t* info) noexcept;

} // namespace twat::mp::detail

#endif
