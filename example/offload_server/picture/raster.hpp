// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PICTURE_RASTER_HPP
#define OFFLOAD_PICTURE_RASTER_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

namespace offload {

/// A picture in memory: rows from the top, pixels from the left, 8 bits a channel; RGB or RGBA, the alpha not premultiplied.
struct raster
{
    raster(std::size_t w, std::size_t h, std::size_t c) : width(w), height(h), channels(c), bytes(w * h * c) {}

    std::size_t width;
    std::size_t height;
    std::size_t channels; ///< 3 or 4
    std::vector<std::uint8_t> bytes;

    std::uint8_t* at(std::size_t x, std::size_t y) { return bytes.data() + (y * width + x) * channels; }
    const std::uint8_t* at(std::size_t x, std::size_t y) const { return bytes.data() + (y * width + x) * channels; }
};

/** Scales a picture down while its rows arrive, so that the original need not be in memory.

    Each pixel of the result is the mean of the pixels that it covers, weighted by the area covered, and by alpha: the colour of a pixel that
    cannot be seen does not bleed into its neighbours.
*/
class shrinker
{
public:
    /// The result may not be larger than the original.
    shrinker(std::size_t width, std::size_t height, std::size_t channels, std::size_t new_width,
             std::size_t new_height);

    /// The next row of the original; exactly `height` of them.
    void add(const std::uint8_t* row);

    /// The result, once all rows are in.
    raster take() { return std::move(result_); }

private:
    // the part of a pixel in `column`; what is left of 1 belongs to the next column
    struct share
    {
        std::size_t column;
        float first;
    };

    void gather(const std::uint8_t* row);
    void emit();

    std::size_t width_, height_, rows_ = 0, emitted_ = 0;
    std::vector<share> shares_; // by column of the original
    // premultiplied; a row of the original at the width of the result, and a row of the result
    std::vector<float> line_, sum_;
    raster result_;
};

/// Turned and mirrored so that it is upright; `orientation` is Exif's, from 1 to 8.
raster upright(raster picture, int orientation);

} // namespace offload

#endif
