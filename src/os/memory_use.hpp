// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_MEMORY_USE_HPP
#define TWAT_MP_SRC_OS_MEMORY_USE_HPP

#include <twat/mp/config.hpp>

#include <cstdint>
#include <optional>

namespace twat::mp::detail {

/// What this process takes up, in bytes.
struct memory_use
{
    std::uint64_t address_space = 0;
    std::uint64_t resident = 0;
    /// Of the resident bytes: mapped files, and memory that is shared with other processes.
    std::uint64_t shared = 0;
};

/// Reads /proc/self/statm, which takes some microseconds. Nothing if that cannot be read.
std::optional<memory_use> read_memory_use() noexcept;

/// Resident bytes of a process, 0 if it is not there, or not to be looked at.
TWAT_MP_DECL std::uint64_t read_resident_size(int pid) noexcept;

} // namespace twat::mp::detail

#endif
