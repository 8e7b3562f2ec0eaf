// SPDX-License-Identifier: BSL-1.0
// What travels between the program and its workers: plain structs, which the library takes apart member by member.
#ifndef PGZIP_BLOCK_HPP
#define PGZIP_BLOCK_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgzip {

using bytes = std::vector<unsigned char>;

/// Deflate can refer back to this many bytes before the place where it is.
inline constexpr std::size_t window_size = 32 * 1024;

/// A piece of the input.
struct block
{
    bytes data;
    bytes window; ///< The last 32 KiB before `data`: with them a block compresses as well as in one go. Empty at the start.
};

/// What became of it.
struct compressed_block
{
    bytes data;              ///< Deflate data that ends on a byte boundary, so that the next block can just follow.
    std::uint32_t crc = 0;   ///< Of the data before compression.
    std::uint64_t length = 0; ///< Of the data before compression.
};

} // namespace pgzip

#endif
