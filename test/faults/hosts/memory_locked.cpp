// SPDX-License-Identifier: BSL-1.0
#include <twat/mp.hpp>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>

#include <sys/mman.h>

#include "../expect.hpp"
#include "modes.hpp"

namespace mp = twat::mp;

namespace {

constexpr std::size_t mib = std::size_t(1) << 20;

std::size_t resident()
{
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    return pages * 4096;
}

std::string echo(std::string text) { return text; }

} // namespace

/// A program that locks all of its memory has no more of it because it has workers, but for what they exchange.
void memory_locked()
{
    if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        std::puts("memory cannot be locked here");
        return;
    }
    const std::size_t before = resident();
    mp::process_pool pool(4);
    pool.start();
    EXPECT(pool.apply(echo, std::string("x")) == "x");
    std::printf("%zu MiB more\n", (resident() - before) / mib);
    EXPECT(resident() - before < 64 * mib);
    const std::string large(20 * mib, 'x');
    EXPECT(pool.apply(echo, large) == large);
    ::mlockall(MCL_CURRENT);
    std::printf("%zu MiB more with large values\n", (resident() - before) / mib);
    EXPECT(resident() - before < 300 * mib);
}
