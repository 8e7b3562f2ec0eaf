// SPDX-License-Identifier: BSL-1.0
#include "deflate_block.hpp"

#include <libdeflate.h>

#include <memory>
#include <stdexcept>

namespace pgzip {

namespace {

struct freeing
{
    void operator()(libdeflate_compressor* tool) const { ::libdeflate_free_compressor(tool); }
};

/// Of this worker: made with its first block, used for all of them.
libdeflate_compressor& compressor_of(int level)
{
    thread_local int kept_level = 0;
    thread_local std::unique_ptr<libdeflate_compressor, freeing> kept;
    if (!kept || kept_level != level) {
        kept.reset(::libdeflate_alloc_compressor(level));
        kept_level = level;
    }
    if (!kept)
        throw std::runtime_error("libdeflate cannot start");
    return *kept;
}

} // namespace

compressed_block deflate_block(int level, const block& input)
{
    libdeflate_compressor& tool = compressor_of(level);
    compressed_block output;
    output.length = static_cast<std::uint32_t>(input.size());
    output.crc = ::libdeflate_crc32(0, input.data(), input.size());
    output.data.resize(::libdeflate_deflate_compress_bound(&tool, input.size()));
    const std::size_t size =
        ::libdeflate_deflate_compress(&tool, input.data(), input.size(), output.data.data(), output.data.size());
    if (size == 0)
        throw std::runtime_error("libdeflate cannot compress the block");
    output.data.resize(size);
    return output;
}

} // namespace pgzip
