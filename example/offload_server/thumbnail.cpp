// SPDX-License-Identifier: BSL-1.0
#include "tasks.hpp"

#include <boost/gil.hpp>
#include <boost/gil/extension/io/jpeg.hpp>
#include <boost/gil/extension/io/png.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace offload {
namespace {

namespace gil = boost::gil;

constexpr std::ptrdiff_t most_pixels = 100'000'000;

/// Each pixel of the result is the mean of those that it covers, weighted with how much of them.
template <class Image>
Image scaled(const Image& source, std::ptrdiff_t width, std::ptrdiff_t height)
{
    constexpr int channels = gil::num_channels<Image>::value;
    const auto from = gil::const_view(source);
    Image result(width, height);
    const auto to = gil::view(result);
    const double step_x = static_cast<double>(from.width()) / static_cast<double>(width);
    const double step_y = static_cast<double>(from.height()) / static_cast<double>(height);

    std::vector<double> sums(static_cast<std::size_t>(width * channels)); // of one row of the result
    for (std::ptrdiff_t y = 0; y < height; ++y) {
        std::fill(sums.begin(), sums.end(), 0.0);
        const double top = static_cast<double>(y) * step_y, bottom = std::min(top + step_y, static_cast<double>(from.height()));
        for (auto row = static_cast<std::ptrdiff_t>(top); static_cast<double>(row) < bottom; ++row) {
            const double share_y = std::min<double>(bottom, static_cast<double>(row + 1)) - std::max<double>(top, static_cast<double>(row));
            const auto line = from.row_begin(row);
            for (std::ptrdiff_t x = 0; x < width; ++x) {
                const double left = static_cast<double>(x) * step_x, right = std::min(left + step_x, static_cast<double>(from.width()));
                for (auto column = static_cast<std::ptrdiff_t>(left); static_cast<double>(column) < right; ++column) {
                    const double share = share_y * (std::min<double>(right, static_cast<double>(column + 1)) -
                                                    std::max<double>(left, static_cast<double>(column)));
                    for (int c = 0; c < channels; ++c)
                        sums[static_cast<std::size_t>(x * channels + c)] += share * line[column][static_cast<std::size_t>(c)];
                }
            }
        }
        const auto out = to.row_begin(y);
        for (std::ptrdiff_t x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c)
                out[x][static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(
                    std::clamp(sums[static_cast<std::size_t>(x * channels + c)] / (step_x * step_y) + 0.5, 0.0, 255.0));
    }
    return result;
}

template <class Image, class Tag, class Settings>
image make(const std::string& bytes, int width, const char* type, Tag tag, const Settings& settings)
{
    std::istringstream in(bytes);
    // The size stands in front: what claims to be huge is refused before memory is taken for it.
    const auto info = gil::read_image_info(in, tag)._info;
    const auto w = static_cast<std::ptrdiff_t>(info._width), h = static_cast<std::ptrdiff_t>(info._height);
    if (w <= 0 || h <= 0 || w > most_pixels / h)
        throw std::invalid_argument("the picture has " + std::to_string(w) + " x " + std::to_string(h) + " pixels, more than are taken");
    in.clear();
    in.seekg(0);
    Image source;
    gil::read_and_convert_image(in, source, tag);

    const std::ptrdiff_t new_width = std::min<std::ptrdiff_t>(width, w);
    const std::ptrdiff_t new_height = std::max<std::ptrdiff_t>(1, (h * new_width + w / 2) / w);
    const Image small = new_width == w ? source : scaled(source, new_width, new_height);
    std::ostringstream out(std::ios::binary);
    gil::write_view(out, gil::const_view(small), settings);
    return {type, std::move(out).str(), static_cast<int>(small.width()), static_cast<int>(small.height())};
}

} // namespace

image thumbnail(std::string bytes, int width)
{
    try {
        if (bytes.starts_with("\x89PNG"))
            return make<gil::rgba8_image_t>(bytes, width, "image/png", gil::png_tag(), gil::image_write_info<gil::png_tag>());
        if (bytes.starts_with("\xff\xd8"))
            return make<gil::rgb8_image_t>(bytes, width, "image/jpeg", gil::jpeg_tag(), gil::image_write_info<gil::jpeg_tag>(85));
    } catch (const std::ios_base::failure&) { // what GIL throws for anything that it cannot read
        throw std::invalid_argument("the picture is damaged");
    }
    throw std::invalid_argument("neither a PNG nor a JPEG");
}

} // namespace offload
