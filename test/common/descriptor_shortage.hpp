// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_DESCRIPTOR_SHORTAGE_HPP
#define TWAT_MP_TEST_COMMON_DESCRIPTOR_SHORTAGE_HPP

#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

#include "process/descriptor.hpp"

namespace twat::mp::test {

/// Leaves `spare` descriptors to be opened by this process, while it lives.
class descriptor_shortage
{
public:
    explicit descriptor_shortage(rlim_t spare)
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit less = before_;
        less.rlim_cur = 256;
        ::setrlimit(RLIMIT_NOFILE, &less);
        for (int fd; (fd = ::open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0;)
            taken_.emplace_back(fd);
        while (spare-- > 0)
            taken_.pop_back();
    }
    descriptor_shortage(const descriptor_shortage&) = delete;
    ~descriptor_shortage() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_;
    std::vector<detail::unique_descriptor> taken_;
};

} // namespace twat::mp::test

#endif
