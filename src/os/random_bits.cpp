// SPDX-License-Identifier: BSL-1.0
#include "os/random_bits.hpp"

#include <random>

#include <sys/random.h>

namespace twat::mp::detail {

std::uint64_t random_bits()
{
    std::uint64_t bits = 0;
    if (::getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits))
        return bits;
    std::random_device device; // Where a sandbox forbids getrandom.
    return std::uint64_t(device()) << 32 | device();
}

} // namespace twat::mp::detail
