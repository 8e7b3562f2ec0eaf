// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_DESCRIPTOR_SHORTAGE_HPP
#define TWAT_MP_TEST_COMMON_DESCRIPTOR_SHORTAGE_HPP

#include <cstddef>
#include <vector>

#include <fcntl.h>

#include "os/descriptor.hpp"
#include "resource_limit.hpp"

namespace twat::mp::test {

/// Leaves `spare` descriptors to be opened by this process, while it lives.
class descriptor_shortage
{
public:
    explicit descriptor_shortage(std::size_t spare) : limit_(RLIMIT_NOFILE, 256)
    {
        for (int fd; (fd = ::open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0;)
            taken_.emplace_back(fd);
        while (spare-- > 0)
            taken_.pop_back();
    }
    descriptor_shortage(const descriptor_shortage&) = delete;

private:
    resource_limit limit_;
    std::vector<detail::unique_descriptor> taken_;
};

} // namespace twat::mp::test

#endif
