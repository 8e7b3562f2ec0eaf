// SPDX-License-Identifier: BSL-1.0
#include "../tasks.hpp"
#include "codecs.hpp"

#include <algorithm>
#include <stdexcept>

namespace offload {

extent::extent(std::size_t w, std::size_t h, std::size_t new_width)
    : width(std::min(w, new_width)), height(std::max<std::size_t>(1, (h * width + w / 2) / w))
{}

void check_pixels(std::size_t width, std::size_t height)
{
    if (width == 0 || height == 0 || width > most_pixels / height)
        throw std::invalid_argument("the picture has " + std::to_string(width) + " x " + std::to_string(height) +
                                    " pixels; at most " + std::to_string(most_pixels) + " are accepted");
}

image thumbnail(std::string bytes, int width)
{
    const auto made = [](const raster& small, const char* type, std::string encoded) {
        return image{type, std::move(encoded), static_cast<int>(small.width), static_cast<int>(small.height)};
    };
    if (bytes.starts_with("\x89PNG")) {
        const raster small = shrunk_png(bytes, static_cast<std::size_t>(width));
        return made(small, "image/png", png_of(small));
    }
    if (bytes.starts_with("\xff\xd8")) {
        const raster small = shrunk_jpeg(bytes, static_cast<std::size_t>(width));
        return made(small, "image/jpeg", jpeg_of(small));
    }
    throw std::invalid_argument("neither a PNG nor a JPEG");
}

} // namespace offload
