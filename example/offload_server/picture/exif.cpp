// SPDX-License-Identifier: BSL-1.0
#include "exif.hpp"

#include <cstring>

namespace offload {
namespace {

/// The TIFF structure that Exif consists of. Reads 0 beyond its end.
class tiff
{
public:
    explicit tiff(std::span<const std::uint8_t> bytes) : bytes_(bytes), little_(bytes[0] == 'I') {}

    std::uint32_t two(std::uint64_t at) const
    {
        return little_ ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1);
    }
    std::uint32_t four(std::uint64_t at) const
    {
        return little_ ? two(at) | two(at + 2) << 16 : two(at) << 16 | two(at + 2);
    }

private:
    std::uint32_t byte(std::uint64_t at) const { return at < bytes_.size() ? bytes_[at] : 0u; }

    std::span<const std::uint8_t> bytes_;
    bool little_;
};

constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3;

} // namespace

int exif_orientation(std::span<const std::uint8_t> segment)
{
    if (segment.size() < 14 || std::memcmp(segment.data(), "Exif\0", 6) != 0)
        return 1;
    segment = segment.subspan(6);
    if (std::memcmp(segment.data(), "II*\0", 4) != 0 && std::memcmp(segment.data(), "MM\0*", 4) != 0)
        return 1;
    const tiff t(segment);
    const std::uint64_t directory = t.four(4);
    const std::uint32_t entries = t.two(directory);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const std::uint64_t entry = directory + 2 + 12 * std::uint64_t(i);
        if (entry + 12 > segment.size())
            break;
        if (t.two(entry) == orientation_tag && t.two(entry + 2) == short_type) {
            const std::uint32_t value = t.two(entry + 8);
            return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
        }
    }
    return 1;
}

} // namespace offload
