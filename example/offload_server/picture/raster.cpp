// SPDX-License-Identifier: BSL-1.0
#include "raster.hpp"

#include <algorithm>
#include <utility>

namespace offload {

// Lengths are measured in units of 1 / (width x new width): a pixel of the original is new_width units wide, one of the result width units. So all
// borders are integers, and no row or column is lost to rounding.
shrinker::shrinker(std::size_t width, std::size_t height, std::size_t channels, std::size_t new_width,
                   std::size_t new_height)
    : width_(width), height_(height), shares_(width),
      line_((new_width + 1) * channels), // the last pixel's empty share of what follows lands in the spare column
      sum_(new_width * channels), result_(new_width, new_height, channels)
{
    for (std::size_t x = 0; x < width; ++x) {
        const std::size_t left = x * new_width, column = left / width, border = (column + 1) * width;
        shares_[x] = {column, static_cast<float>(std::min(new_width, border - left)) / static_cast<float>(new_width)};
    }
}

/// Adds up a row of the original, premultiplied, in the columns of the result.
void shrinker::gather(const std::uint8_t* row)
{
    const std::size_t channels = result_.channels;
    std::fill(line_.begin(), line_.end(), 0.0f);
    for (std::size_t x = 0; x < width_; ++x, row += channels) {
        float* const here = line_.data() + shares_[x].column * channels;
        float* const next = here + channels;
        const float alpha = channels == 4 ? static_cast<float>(row[3]) : 1.0f;
        for (std::size_t c = 0; c < channels; ++c) {
            const float value = c == 3 ? alpha : static_cast<float>(row[c]) * alpha;
            const float first = value * shares_[x].first;
            here[c] += first;
            next[c] += value - first;
        }
    }
}

void shrinker::add(const std::uint8_t* row)
{
    gather(row);
    const std::size_t new_height = result_.height;
    const std::size_t top = rows_ * new_height, border = (emitted_ + 1) * height_;
    const float first = static_cast<float>(std::min(new_height, border - top)) / static_cast<float>(new_height);
    for (std::size_t i = 0; i < sum_.size(); ++i)
        sum_[i] += line_[i] * first;
    ++rows_;
    if (rows_ * new_height < border)
        return;
    emit();
    if (first < 1.0f)
        for (std::size_t i = 0; i < sum_.size(); ++i)
            sum_[i] = line_[i] * (1.0f - first);
}

void shrinker::emit()
{
    const float area = static_cast<float>(width_) * static_cast<float>(height_) /
                       (static_cast<float>(result_.width) * static_cast<float>(result_.height));
    const auto byte = [](float value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f)); };
    for (std::size_t x = 0; x < result_.width; ++x) {
        const float* const from = sum_.data() + x * result_.channels;
        std::uint8_t* const to = result_.at(x, emitted_);
        const float weight = result_.channels == 4 ? from[3] : area;
        for (std::size_t c = 0; c < 3; ++c)
            to[c] = weight > 0 ? byte(from[c] / weight) : 0;
        if (result_.channels == 4)
            to[3] = byte(from[3] / area);
    }
    std::fill(sum_.begin(), sum_.end(), 0.0f);
    ++emitted_;
}

raster upright(raster picture, int orientation)
{
    if (orientation <= 1 || orientation > 8)
        return picture;
    const bool lies = orientation >= 5;
    raster turned(lies ? picture.height : picture.width, lies ? picture.width : picture.height, picture.channels);
    const std::size_t right = picture.width - 1, bottom = picture.height - 1;
    for (std::size_t y = 0; y < turned.height; ++y)
        for (std::size_t x = 0; x < turned.width; ++x) {
            std::pair<std::size_t, std::size_t> from;
            switch (orientation) {
            case 2: from = {right - x, y}; break;
            case 3: from = {right - x, bottom - y}; break;
            case 4: from = {x, bottom - y}; break;
            case 5: from = {y, x}; break;
            case 6: from = {y, bottom - x}; break;
            case 7: from = {right - y, bottom - x}; break;
            default: from = {right - y, x}; break;
            }
            std::copy_n(picture.at(from.first, from.second), picture.channels, turned.at(x, y));
        }
    return turned;
}

} // namespace offload
