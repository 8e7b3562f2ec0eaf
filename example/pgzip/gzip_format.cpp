// SPDX-License-Identifier: BSL-1.0
#include "gzip_format.hpp"

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

bytes gzip_trailer(const compressed_block& block)
{
    bytes out;
    put32(out, block.crc);
    put32(out, block.length);
    return out;
}

compressed_block empty_block() { return {.data = {0x03, 0x00}}; }

} // namespace pgzip
