// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_RESOURCE_LIMIT_HPP
#define TWAT_MP_TEST_COMMON_RESOURCE_LIMIT_HPP

#include <sys/resource.h>

namespace twat::mp::test {

/// Limits this process, and the children that it starts, while it lives.
class resource_limit
{
public:
    /// @param resource `RLIMIT_...`.
    resource_limit(__rlimit_resource resource, rlim_t most) : resource_(resource)
    {
        ::getrlimit(resource_, &before_);
        rlimit less = before_;
        less.rlim_cur = most;
        ::setrlimit(resource_, &less);
    }
    resource_limit(const resource_limit&) = delete;
    ~resource_limit() { ::setrlimit(resource_, &before_); }

private:
    __rlimit_resource resource_;
    rlimit before_{};
};

} // namespace twat::mp::test

#endif
