// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_TERMINAL_HPP
#define TWAT_MP_SRC_OS_TERMINAL_HPP

namespace twat::mp::detail {

// Another system with terminals has the same calls, and would have to do nothing.

bool is_terminal(int descriptor) noexcept;

/// In columns; 0: not known.
int terminal_width(int descriptor) noexcept;

} // namespace twat::mp::detail

#endif
