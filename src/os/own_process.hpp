// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_OWN_PROCESS_HPP
#define TWAT_MP_SRC_OS_OWN_PROCESS_HPP

#include <cstddef>
#include <string>
#include <vector>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

// What a process can learn of itself and its parent. `/proc` of Linux; another system would have to ask sysctl (KERN_PROC_ARGS of FreeBSD,
// KERN_PROCARGS2 of macOS) or, where nobody tells, return nothing.

/// The file that it runs; empty: not known.
TWAT_MP_DECL std::string own_executable();
std::string own_directory();
/// Behind the name of the program.
std::vector<std::string> own_arguments();
/// What it was started with, up to so many bytes: the one of now may be changed by another thread while it is read.
std::vector<std::string> first_environment(std::size_t most_bytes);

/// Whether it has more rights than whoever started it (set-user-id).
bool has_extra_rights() noexcept;

/// When memory runs out the system ends the process with the highest score: rather this one than its parent.
void offer_to_out_of_memory_killer() noexcept;

/// As others see it. @param name Is cut off at 15 characters.
void name_this_thread(const char* name) noexcept;

/// Whether a signal has stopped it, not a debugger.
bool is_stopped(int process) noexcept;

} // namespace twat::mp::detail

#endif
