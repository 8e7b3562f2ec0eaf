// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_TEST_DAMAGE_HPP
#define OFFLOAD_TEST_DAMAGE_HPP

#include <cstddef>
#include <random>
#include <string>

namespace offload {

/// `bytes` with damage: flipped bits, cut off, overwritten, or a piece missing. The same seed, the same damage on every machine.
inline std::string damaged(std::string bytes, unsigned seed)
{
    std::mt19937 random(seed); // its distributions differ between libraries, so it is used without one
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    const auto flip = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            bytes[2 + below(bytes.size() - 2)] ^= static_cast<char>(1u << below(8));
    };
    switch (seed % 5) {
    case 0: flip(1); break;
    case 1: flip(1 + below(40)); break;
    case 2: bytes.resize(3 + below(bytes.size() - 3)); break;
    case 3:
        for (std::size_t at = 2 + below(bytes.size() - 2), end = at + 1 + below(64); at < end && at < bytes.size();
             ++at)
            bytes[at] = static_cast<char>(random());
        break;
    default: bytes.erase(2 + below(bytes.size() - 2), 1 + below(200)); break;
    }
    return bytes;
}

} // namespace offload

#endif
