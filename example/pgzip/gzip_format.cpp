// SPDX-License-Identifier: BSL-1.0
#include "gzip_format.hpp"

#include <zlib.h>

#include <limits>

namespace pgzip {

namespace {

void put32(bytes& out, std::uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8)
        out.push_back(static_cast<unsigned char>(value >> shift));
}

} // namespace

bytes gzip_header(std::string_view name, std::time_t modified, int level)
{
    constexpr unsigned char has_name = 8, deflate = 8, unix_file = 3;
    bytes out{0x1f, 0x8b, deflate, name.empty() ? static_cast<unsigned char>(0) : has_name};
    const bool fits = modified > 0 && modified <= std::numeric_limits<std::uint32_t>::max();
    put32(out, fits ? static_cast<std::uint32_t>(modified) : 0);
    out.push_back(level == 9 ? 2 : level == 1 ? 4 : 0);
    out.push_back(unix_file);
    if (!name.empty()) {
        out.insert(out.end(), name.begin(), name.end());
        out.push_back(0);
    }
    return out;
}

void gzip_trailer::add(const compressed_block& block)
{
    // Each worker knows only its own block; zlib can join two checksums when it knows the length of the second part.
    crc_ = static_cast<std::uint32_t>(::crc32_combine(crc_, block.crc, static_cast<z_off_t>(block.length)));
    length_ += block.length;
}

bytes gzip_trailer::finish() const
{
    bytes out{0x03, 0x00};
    put32(out, crc_);
    put32(out, static_cast<std::uint32_t>(length_)); // modulo 4 GiB, as the format has it
    return out;
}

} // namespace pgzip
