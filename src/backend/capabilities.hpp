// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BACKEND_CAPABILITIES_HPP
#define TWAT_MP_SRC_BACKEND_CAPABILITIES_HPP

#include <chrono>
#include <cstddef>

#include <twat/mp/options.hpp>

namespace twat::mp::detail {

/// What workers can do, and what suits them. Does not change in the life of a pool.
struct capabilities
{
    bool encodes = false;  ///< Functions, arguments and results are bytes. As the traits say.
    bool by_name = false;  ///< The workers are another program: functions are found by name.
    duration chunk_aim{std::chrono::milliseconds(4)}; ///< How long a chunk should keep a worker busy: many times what it costs to send one.
    std::size_t chunk_bytes = std::size_t(1) << 20;   ///< Of the arguments in one chunk, unless one task has more.
    bool local = false;    ///< They share this address space: what one has not begun costs nothing to take back.
};

} // namespace twat::mp::detail

#endif
