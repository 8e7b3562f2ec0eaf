// SPDX-License-Identifier: BSL-1.0
#include "png_file.hpp"

#include <png.h>

#include <stdexcept>

namespace ray_tracer {

void write_png(const std::string& path, int width, const std::vector<std::string>& rows)
{
    std::string pixels;
    for (const std::string& row : rows)
        pixels += row;
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(rows.size());
    image.format = PNG_FORMAT_RGB;
    if (!png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0, nullptr))
        throw std::runtime_error(path + ": " + image.message);
}

} // namespace ray_tracer
