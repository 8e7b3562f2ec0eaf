// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_MAPPING_HPP
#define TWAT_MP_SRC_OS_MAPPING_HPP

#include <cstddef>

namespace twat::mp::detail {

// Memory in whole pages. POSIX; another system would have to leave out the wish for large pages, and MAP_NORESERVE where it is not known.

enum class memory_access { none, read, read_write };

/// Maps part of the file behind `fd`, shared with whoever maps it too; with no access it takes only address space. Null: see `errno`.
std::byte* map_shared(int fd, std::size_t offset, std::size_t size, memory_access access) noexcept;

/// Memory of this process alone, for a stack, that is not accessible yet. Null: see `errno`.
std::byte* map_stack(std::size_t size) noexcept;

/// False: see `errno`.
bool set_access(std::byte* at, std::size_t size, memory_access access) noexcept;

/// Asks for large pages, which few systems have for shared memory.
void prefer_large_pages(std::byte* at, std::size_t size) noexcept;

/// Keeps `errno`.
void unmap_memory(std::byte* at, std::size_t size) noexcept;

} // namespace twat::mp::detail

#endif
