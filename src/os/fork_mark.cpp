// SPDX-License-Identifier: BSL-1.0
#include "os/fork_mark.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

namespace twat::mp::detail {

std::atomic<const std::atomic<int>*> fork_mark::word{nullptr};

namespace {

std::atomic<int> fallback{1}; // where the system cannot clear a page in copies

std::atomic<int>* make_word() noexcept
{
    const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* const page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) {
        if (::madvise(page, size, MADV_WIPEONFORK) == 0)
            return ::new (page) std::atomic<int>(1);
        ::munmap(page, size);
    }
    ::pthread_atfork(nullptr, nullptr, [] { fallback = 0; });
    return &fallback;
}

} // namespace

void mark_original() noexcept
{
    if (!fork_mark::word)
        fork_mark::word = make_word();
}

void leave_if_copy() noexcept
{
    if (is_copy())
        ::_exit(EXIT_FAILURE);
}

} // namespace twat::mp::detail
