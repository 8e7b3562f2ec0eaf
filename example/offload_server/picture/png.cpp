// SPDX-License-Identifier: BSL-1.0
#include "codecs.hpp"

#include <png.h>

#include <stdexcept>

// Through libpng's simplified interface: it converts every kind of PNG to 8 bits of RGBA, and catches its own long jumps.
namespace offload {
namespace {

class png_file
{
public:
    png_file() { image_.version = PNG_IMAGE_VERSION; }
    ~png_file() { png_image_free(&image_); }
    png_file(const png_file&) = delete;

    png_image* get() { return &image_; }
    png_image* operator->() { return &image_; }

private:
    png_image image_{};
};

} // namespace

raster shrunk_png(std::string_view bytes, std::size_t width)
{
    png_file png;
    const auto damaged = [&] { return std::invalid_argument(std::string("the picture is damaged: ") + png->message); };
    if (!png_image_begin_read_from_memory(png.get(), bytes.data(), bytes.size()))
        throw damaged();
    check_pixels(png->width, png->height);
    png->format = PNG_FORMAT_RGBA;
    png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    raster whole(png->width, png->height, 4);
    if (!png_image_finish_read(png.get(), nullptr, whole.bytes.data(), 0, nullptr))
        throw damaged();
    const extent size(whole.width, whole.height, width);
    if (size.width == whole.width && size.height == whole.height)
        return whole;
    shrinker small(whole.width, whole.height, 4, size.width, size.height);
    for (std::size_t y = 0; y < whole.height; ++y)
        small.add(whole.at(0, y));
    return small.take();
}

std::string png_of(const raster& picture)
{
    png_file png;
    png->width = static_cast<png_uint_32>(picture.width);
    png->height = static_cast<png_uint_32>(picture.height);
    png->format = picture.channels == 4 ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*png.get());
    std::string bytes(size, '\0');
    if (!png_image_write_to_memory(png.get(), bytes.data(), &size, 0, picture.bytes.data(), 0, nullptr))
        throw std::runtime_error(std::string("libpng: ") + png->message);
    bytes.resize(size);
    return bytes;
}

} // namespace offload
