// SPDX-License-Identifier: BSL-1.0
// What travels between the program and its workers: plain structs, which the library takes apart member by member.
#ifndef PGZIP_BLOCK_HPP
#define PGZIP_BLOCK_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgzip {

using bytes = std::vector<unsigned char>;

/// Deflate can refer back to this many bytes. Blocks know nothing of each other, so shorter ones would compress badly.
inline constexpr std::size_t window_size = 32 * 1024;

/// A piece of the input.
using block = bytes;

/// What became of it.
struct compressed_block
{
    bytes data;               ///< A whole stream of deflate data.
    std::uint32_t crc = 0;    ///< Of the data before compression.
    std::uint32_t length = 0; ///< Of the data before compression.
};

} // namespace pgzip

#endif
