// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_TASKS_HPP
#define OFFLOAD_TASKS_HPP

#include <cstdint>
#include <string>

// What the workers do. Plain functions of values: they know nothing of the server, so they run in a process, in a thread or on the
// loop just the same. Those that take long look at their stop token, and so end soon after nobody waits for them any more.
namespace offload {

struct image
{
    std::string type; ///< "image/png" or "image/jpeg"
    std::string bytes;
    int width = 0;
    int height = 0;
};

/// Decodes a PNG or JPEG, turns it upright, scales it to `width`, and encodes it as what it was. Never makes it larger.
/// @throws std::invalid_argument, if it is neither, is damaged, or has more than 50 million pixels.
image thumbnail(std::string bytes, int width);

/// PBKDF2 with HMAC-SHA-256: `rounds` rounds over the password and a salt; in hexadecimal.
std::string hash(std::string password, std::string salt, std::uint64_t rounds);

/// The primes in [`begin`, `end`), a line each.
std::string primes(std::uint64_t begin, std::uint64_t end);

/// Keeps a CPU busy for so long. Returns how many milliseconds it was.
int slow(int milliseconds);

/// Reads where nothing is.
int crash(int);

} // namespace offload

#endif
