// SPDX-License-Identifier: BSL-1.0
#ifndef OFFLOAD_TEST_JPEGS_HPP
#define OFFLOAD_TEST_JPEGS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <jpeglib.h>

namespace offload {

/// A JPEG of a kind that jpeg_of does not write.
struct jpeg_kind
{
    J_COLOR_SPACE from = JCS_RGB; ///< What `pixel` makes.
    J_COLOR_SPACE stored = JCS_YCbCr;
    bool adobe = false; ///< With Adobe's marker.
    bool progressive = false;
    int restart = 0;     ///< Rows of blocks between restart markers.
    int orientation = 0; ///< In an Exif segment; 0: without one.
};

inline std::size_t channels_of(J_COLOR_SPACE space) { return space == JCS_GRAYSCALE ? 1 : space == JCS_CMYK ? 4 : 3; }

/// Encodes what `pixel(x, y)` returns, four channels of which as many are used as the kind has.
template <class Pixel>
std::string jpeg(const jpeg_kind& kind, unsigned width, unsigned height, Pixel pixel)
{
    jpeg_compress_struct c;
    jpeg_error_mgr errors;
    c.err = jpeg_std_error(&errors); // ends the program
    jpeg_create_compress(&c);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&c, &bytes, &size);
    c.image_width = width;
    c.image_height = height;
    c.in_color_space = kind.from;
    c.input_components = static_cast<int>(channels_of(kind.from));
    jpeg_set_defaults(&c);
    jpeg_set_colorspace(&c, kind.stored);
    jpeg_set_quality(&c, 95, TRUE);
    c.write_Adobe_marker = kind.adobe;
    c.restart_in_rows = kind.restart;
    if (kind.progressive)
        jpeg_simple_progression(&c);
    jpeg_start_compress(&c, TRUE);
    if (kind.orientation != 0) {
        const unsigned char exif[] = {'E', 'x',  'i', 'f', 0,
                                      0,   'I',  'I', '*', 0,
                                      8,   0,    0,   0,   1,
                                      0,   0x12, 1,   3,   0,
                                      1,   0,    0,   0,   static_cast<unsigned char>(kind.orientation),
                                      0,   0,    0,   0,   0,
                                      0,   0};
        jpeg_write_marker(&c, JPEG_APP0 + 1, exif, sizeof exif);
    }
    std::vector<unsigned char> row;
    for (unsigned y = 0; y < height; ++y) {
        row.clear();
        for (unsigned x = 0; x < width; ++x) {
            const std::array<std::uint8_t, 4> p = pixel(x, y);
            row.insert(row.end(), p.begin(), p.begin() + static_cast<std::ptrdiff_t>(channels_of(kind.from)));
        }
        JSAMPROW rows[] = {row.data()};
        jpeg_write_scanlines(&c, rows, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    const std::string all(reinterpret_cast<const char*>(bytes), size);
    std::free(bytes);
    return all;
}

} // namespace offload

#endif
