// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_COMMON_FILE_SIZE_LIMIT_HPP
#define TWAT_MP_TEST_COMMON_FILE_SIZE_LIMIT_HPP

#include <sys/resource.h>

namespace twat::mp::test {

/// Limits the size of files that this process and its children may make, while it lives.
class file_size_limit
{
public:
    explicit file_size_limit(rlim_t size)
    {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit less = before_;
        less.rlim_cur = size;
        ::setrlimit(RLIMIT_FSIZE, &less);
    }
    file_size_limit(const file_size_limit&) = delete;
    ~file_size_limit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_;
};

} // namespace twat::mp::test

#endif
