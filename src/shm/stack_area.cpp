// SPDX-License-Identifier: BSL-1.0
#include "shm/stack_area.hpp"

#include <new>
#include <utility>

#include "os/mapping.hpp"
#include "os/overcommit.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t page_bytes = 4096;

} // namespace

std::size_t stack_area::size() noexcept { return (sizeof(stack_words) + page_bytes - 1) / page_bytes * page_bytes; }

stack_area::stack_area(int fd, const page_layout& layout) noexcept
{
    const std::size_t offset = shared_page::size_of(layout) - 2 * layout.arena_capacity - size();
    std::byte* const at = map_shared(fd, offset, size(), memory_access::read_write);
    if (!at)
        return;
    if (back_with_memory(at, size()))
        words_ = std::launder(reinterpret_cast<stack_words*>(at));
    else
        unmap_memory(at, size());
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
        unmap_memory(reinterpret_cast<std::byte*>(words_), size());
}

} // namespace twat::mp::detail
