// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_BENCH_MEMORY_HPP
#define TWAT_MP_BENCH_MEMORY_HPP

#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace bench {

/// Resident memory of this process in bytes.
inline std::size_t resident_memory()
{
    std::size_t pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%*u %zu", &pages) != 1)
            pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace bench

#endif
