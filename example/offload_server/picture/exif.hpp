// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_PICTURE_EXIF_HPP
#define OFFLOAD_PICTURE_EXIF_HPP

#include <cstdint>
#include <span>

namespace offload {

/** How the camera was held, from 1 (upright) to 8, as the content of a JPEG's APP1 segment has it.

    1 also where nothing is said or the segment is malformed: the picture itself may be fine.
*/
int exif_orientation(std::span<const std::uint8_t> segment);

} // namespace offload

#endif
