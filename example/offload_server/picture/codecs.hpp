// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PICTURE_CODECS_HPP
#define OFFLOAD_PICTURE_CODECS_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include "raster.hpp"

namespace offload {

/// The most pixels a picture may have: as a PNG it takes four bytes each while it is scaled.
constexpr std::size_t most_pixels = 50'000'000;

/// The size of a picture that was `width` x `height` and becomes `new_width` wide; it never becomes larger.
struct extent
{
    extent(std::size_t width, std::size_t height, std::size_t new_width);
    std::size_t width, height;
};

/** Decode a picture, make it upright and scale it to `width`.

    @throws std::invalid_argument, if it is damaged or has more than `most_pixels`; the message says which.
*/
raster shrunk_png(std::string_view bytes, std::size_t width);
raster shrunk_jpeg(std::string_view bytes, std::size_t width);

std::string png_of(const raster& picture);
std::string jpeg_of(const raster& picture);

/// @throws std::invalid_argument, if a picture may not have so many pixels.
void check_pixels(std::size_t width, std::size_t height);

} // namespace offload

#endif
