// SPDX-License-Identifier: BSL-1.0
#include "shm/stack_area.hpp"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <new>
#include <utility>

#include "os/overcommit.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t page_bytes = 4096;

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

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

void wake_waiters(std::atomic<std::uint32_t>& word) noexcept
{
    ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void wait_for_change(const std::atomic<std::uint32_t>& word, std::uint32_t value, std::chrono::nanoseconds longest) noexcept
{
    if (longest <= std::chrono::nanoseconds::zero())
        return;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(longest);
    const timespec time{static_cast<std::time_t>(seconds.count()), static_cast<long>((longest - seconds).count())};
    ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &time, nullptr, 0);
}

} // namespace twat::mp::detail
