// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_SIGNAL_SET_HPP
#define TWAT_MP_SRC_OS_SIGNAL_SET_HPP

#include <csignal>
#include <cstdint>

namespace twat::mp::detail {

/// Signals by their numbers, 1 to 64. A plain word: a child that still shares its parent's memory reads it.
using signal_set = std::uint64_t;

constexpr signal_set only(int signal) noexcept { return signal_set(1) << (signal - 1); }

/** What workers are to ignore: what this process ignores now, as with any program that it starts, but for two.

    SIGCHLD is not ignored in workers, or tasks would not learn how their children ended; nor is SIGTERM, with which workers are asked to
    end.
*/
inline signal_set ignored_in_workers() noexcept
{
    signal_set found = 0;
    for (int signal = 1; signal <= 64; ++signal) {
        struct sigaction action = {};
        if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
            found |= only(signal);
    }
    return found & ~(only(SIGCHLD) | only(SIGTERM));
}

} // namespace twat::mp::detail

#endif
