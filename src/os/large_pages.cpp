// SPDX-License-Identifier: BSL-1.0
#include <twat/mp/detail/codec/byte_buffer.hpp>

#include <cstdint>

#include <sys/mman.h>

namespace twat::mp::detail {

void prefer_large_pages(const void* memory, std::size_t size) noexcept
{
    // Only whole large pages: what lies beside them is not ours, and part of one cannot be large anyway.
    constexpr std::uintptr_t page = large_pages_from;
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t begin = (at + page - 1) / page * page, end = (at + size) / page * page;
    if (begin < end)
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE); // refused: the pages are small
}

} // namespace twat::mp::detail
