// SPDX-License-Identifier: BSL-1.0
#include "os/mapping.hpp"

#include <cerrno>

#include <sys/mman.h>

namespace twat::mp::detail {
namespace {

int protection(memory_access access) noexcept
{
    switch (access) {
    case memory_access::none: break;
    case memory_access::read: return PROT_READ;
    case memory_access::read_write: return PROT_READ | PROT_WRITE;
    }
    return PROT_NONE;
}

std::byte* found(void* at) noexcept { return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at); }

} // namespace

std::byte* map_shared(int fd, std::size_t offset, std::size_t size, memory_access access) noexcept
{
    const int reserve = access == memory_access::none ? MAP_NORESERVE : 0;
    return found(::mmap(nullptr, size, protection(access), MAP_SHARED | reserve, fd, static_cast<off_t>(offset)));
}

std::byte* map_stack(std::size_t size) noexcept
{
    return found(::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0));
}

bool set_access(std::byte* at, std::size_t size, memory_access access) noexcept
{
    return ::mprotect(at, size, protection(access)) == 0;
}

void prefer_large_pages(std::byte* at, std::size_t size) noexcept { ::madvise(at, size, MADV_HUGEPAGE); }

void unmap_memory(std::byte* at, std::size_t size) noexcept
{
    const int before = errno;
    ::munmap(at, size);
    errno = before;
}

} // namespace twat::mp::detail
