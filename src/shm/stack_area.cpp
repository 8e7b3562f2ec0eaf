// SPDX-License-Identifier: BSL-1.0
#include "shm/stack_area.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

#include "os/overcommit.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t page_bytes = 4096;

} // namespace

std::size_t stack_area::size() noexcept { return (sizeof(stack_words) + page_bytes - 1) / page_bytes * page_bytes; }

stack_area::stack_area(int fd, const page_layout& layout) noexcept
{
    const std::size_t offset = shared_page::size_of(layout) - 2 * layout.arena_capacity - size();
    void* const at = ::mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (at == MAP_FAILED)
        return;
    if (back_with_memory(static_cast<std::byte*>(at), size()))
        words_ = std::launder(static_cast<stack_words*>(at));
    else
        ::munmap(at, size());
}

stack_area::stack_area(stack_area&& other) noexcept : words_(std::exchange(other.words_, nullptr)) {}

stack_area& stack_area::operator=(stack_area&& other) noexcept
{
    std::swap(words_, other.words_);
    return *this;
}

stack_area::~stack_area()
{
    if (words_)
        ::munmap(words_, size());
}

} // namespace twat::mp::detail
