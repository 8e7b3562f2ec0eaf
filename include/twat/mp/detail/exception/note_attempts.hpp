// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_EXCEPTION_NOTE_ATTEMPTS_HPP
#define TWAT_MP_DETAIL_EXCEPTION_NOTE_ATTEMPTS_HPP

#include <cstddef>
#include <exception>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/// Attaches how often a task ran, if the exception can carry it. It must be nobody else's yet.
TWAT_MP_DECL void note_attempts(const std::exception_ptr& error, std::size_t attempts) noexcept;

} // namespace twat::mp::detail

#endif
