// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_HELPER_THREAD_HPP
#define TWAT_MP_SRC_OS_HELPER_THREAD_HPP

#include <twat/mp/config.hpp>

#include <functional>

namespace twat::mp::detail {

/** Starts a detached thread of the library's own. Throws `std::system_error` if there can be none.

    It blocks all signals: none that is sent to the process may be handled on a thread that the application does not know of. Its stack is
    small, for a program that locks its memory has all of each stack in memory: it must run no function of the application's. `run` must not
    throw.
*/
TWAT_MP_DECL void start_helper_thread(const char* name, std::function<void()> run);

} // namespace twat::mp::detail

#endif
