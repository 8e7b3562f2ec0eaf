// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_PIDFD_HPP
#define TWAT_MP_SRC_OS_PIDFD_HPP

#include <cstddef>

namespace twat::mp::detail {

// A child by a descriptor that can never mean another process, unlike its number. pidfd of Linux; another system would have to use process
// descriptors (pdfork of FreeBSD), or kqueue with EVFILT_PROC and the child's number, which stays its own until it is reaped (macOS).
// Nothing but `reap_child` reaps the child or waits for anything.

enum class child_state {
    alive,
    over,   ///< And not reaped.
    reaped, ///< By somebody else, or by the kernel because SIGCHLD is ignored.
};
child_state state_of_child(int pidfd) noexcept;

/// The signal that has stopped it; 0: it runs, is over, or somebody else was told of it.
int stop_signal_of_child(int pidfd) noexcept;

/// False: there is no such process.
bool signal_child(int pidfd, int signal) noexcept;

/// The same for its process group. False too where the system cannot do that (Linux before 6.9).
bool signal_group_of_child(int pidfd, int signal) noexcept;

/// Waits for its end and reaps it.
void reap_child(int pidfd) noexcept;

/// Of a status as `wait` returns it; 0: it did not end in this way.
int exit_signal_of(int status) noexcept;
int exit_code_of(int status) noexcept;

/// The largest resident size of one that is over and not reaped, in bytes; 0: not known.
std::size_t peak_rss_of_child(int pidfd) noexcept;

/// The same of this process.
std::size_t own_peak_rss() noexcept;

} // namespace twat::mp::detail

#endif
