// SPDX-License-Identifier: BSL-1.0
#include "os/overcommit.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23 // since Linux 5.14
#endif

namespace twat::mp::detail {
namespace {

bool read_strict() noexcept
{
    const int fd = ::open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char mode = '0';
    [[maybe_unused]] const ssize_t n = ::read(fd, &mode, 1);
    ::close(fd);
    return mode == '2';
}

} // namespace

bool back_with_memory(std::byte* at, std::size_t size) noexcept
{
    static const bool strict = read_strict();
    return !strict || ::madvise(at, size, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
}

} // namespace twat::mp::detail
