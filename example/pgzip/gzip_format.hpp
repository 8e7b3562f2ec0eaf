// SPDX-License-Identifier: BSL-1.0
// The container: a header, deflate data, and a trailer (RFC 1952).
#ifndef PGZIP_GZIP_FORMAT_HPP
#define PGZIP_GZIP_FORMAT_HPP

#include <cstdint>
#include <ctime>
#include <string_view>

#include "block.hpp"

namespace pgzip {

/// The first bytes of a file. `name` may be empty, `modified` 0: unknown.
bytes gzip_header(std::string_view name, std::time_t modified, int level);

/// Adds up what the trailer says about all blocks.
class gzip_trailer
{
public:
    void add(const compressed_block& block);
    /// The last bytes of a file: an empty last block of deflate data, checksum and length.
    bytes finish() const;
    /// Bytes before compression, so far.
    std::uint64_t length() const { return length_; }

private:
    std::uint32_t crc_ = 0;
    std::uint64_t length_ = 0;
};

} // namespace pgzip

#endif
