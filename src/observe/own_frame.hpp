// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OBSERVE_OWN_FRAME_HPP
#define TWAT_MP_SRC_OBSERVE_OWN_FRAME_HPP

#include <twat/mp/config.hpp>
#include <twat/mp/stacktrace.hpp>

#include <vector>

namespace twat::mp::detail {

/** The frame to look at first: the innermost of the program's own code, which called what waits or fails in a library. That of the C and C++ libraries, Boost and
    this library is not, nor is `main`. Null if there is none. */
TWAT_MP_DECL const stacktrace::frame* find_own_frame(const std::vector<stacktrace::frame>& frames) noexcept;

} // namespace twat::mp::detail

#endif
