// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_MEMORY_PAGE_HPP
#define TWAT_MP_TEST_COMMON_MEMORY_PAGE_HPP

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

#include "shm/shared_page.hpp"

namespace twat::mp::test {

/// A memfd of the size of a shared page.
struct memory_file
{
    explicit memory_file(std::size_t size) : fd(::memfd_create("test", MFD_CLOEXEC))
    {
        if (fd == -1 || ::ftruncate(fd, static_cast<off_t>(size)) == -1)
            throw std::runtime_error("memfd_create");
    }
    explicit memory_file(detail::page_layout layout) : memory_file(detail::shared_page::size_of(layout)) {}
    memory_file(const memory_file&) = delete;
    ~memory_file() { ::close(fd); }

    int fd;
};

} // namespace twat::mp::test

#endif
