// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_OS_RANDOM_BITS_HPP
#define TWAT_MP_SRC_OS_RANDOM_BITS_HPP

#include <cstdint>

namespace twat::mp::detail {

/// 64 bits that nobody can guess. getrandom of Linux and FreeBSD; macOS would have to call getentropy.
std::uint64_t random_bits();

} // namespace twat::mp::detail

#endif
