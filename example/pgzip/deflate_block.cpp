// SPDX-License-Identifier: BSL-1.0
#include "deflate_block.hpp"

#include <zlib.h>

#include <memory>
#include <stdexcept>

namespace pgzip {

compressed_block deflate_block(int level, const block& input)
{
    z_stream stream{};
    constexpr int raw = -MAX_WBITS; // no header of zlib's own: gzip's is written once for the whole file
    constexpr int memory = 8;       // zlib's default
    if (::deflateInit2(&stream, level, Z_DEFLATED, raw, memory, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("zlib cannot start");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, &::deflateEnd);

    if (!input.window.empty())
        ::deflateSetDictionary(&stream, input.window.data(), static_cast<uInt>(input.window.size()));

    compressed_block output;
    output.length = input.data.size();
    output.crc = static_cast<std::uint32_t>(::crc32_z(0, input.data.data(), input.data.size()));

    // Room for the worst case and the marker that the flush adds, so that one call does it all.
    output.data.resize(::deflateBound(&stream, input.data.size()) + 16);
    stream.next_in = const_cast<Bytef*>(input.data.data());
    stream.avail_in = static_cast<uInt>(input.data.size());
    stream.next_out = output.data.data();
    stream.avail_out = static_cast<uInt>(output.data.size());
    // The flush ends the block on a byte boundary and leaves the whole stream open for more.
    if (::deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in != 0 || stream.avail_out == 0)
        throw std::runtime_error("zlib cannot compress the block");
    output.data.resize(stream.total_out);
    output.data.shrink_to_fit();
    return output;
}

} // namespace pgzip
