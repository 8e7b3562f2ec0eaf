// SPDX-License-Identifier: BSL-1.0
#include "codecs.hpp"
#include "exif.hpp"
#include "jpeg_guard.hpp"

#include <jerror.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <vector>

namespace offload {
namespace {

constexpr long most_memory = 400L << 20; // what libjpeg may take; a progressive picture of `most_pixels` needs 300 MB
constexpr int most_scans = 100;          // of a progressive picture; each one passes over the whole of it
constexpr int exif_marker = JPEG_APP0 + 1;

struct decompressor : jpeg_decompress_struct
{
    decompressor() : jpeg_decompress_struct() {}
    ~decompressor() { jpeg_destroy_decompress(this); } // does not fail, also where nothing was created
    decompressor(const decompressor&) = delete;
};

class jpeg_decoder
{
public:
    explicit jpeg_decoder(std::string_view bytes)
    {
        object_.err = guard_.manager();
        run([this, bytes] {
            jpeg_create_decompress(&object_);
            object_.mem->max_memory_to_use = most_memory;
            progress_.progress_monitor = &count_scans;
            object_.progress = &progress_;
            jpeg_mem_src(&object_, reinterpret_cast<const unsigned char*>(bytes.data()),
                         static_cast<unsigned long>(bytes.size()));
            jpeg_save_markers(&object_, exif_marker, 0xffff);
            jpeg_read_header(&object_, TRUE);
        });
    }

    std::size_t width() const { return object_.image_width; }
    std::size_t height() const { return object_.image_height; }

    int orientation() const
    {
        for (auto* m = object_.marker_list; m; m = m->next)
            if (m->marker == exif_marker)
                return exif_orientation({m->data, m->data_length});
        return 1;
    }

    void start()
    {
        ink_ = object_.jpeg_color_space == JCS_CMYK || object_.jpeg_color_space == JCS_YCCK;
        object_.out_color_space = ink_ ? JCS_CMYK : JCS_RGB;
        run([this] { jpeg_start_decompress(&object_); });
        row_.resize(width() * (ink_ ? 4 : 3));
    }

    /// The next row, as RGB.
    const std::uint8_t* row()
    {
        JSAMPROW rows[] = {row_.data()};
        run([this, &rows] { jpeg_read_scanlines(&object_, rows, 1); });
        if (ink_)
            from_ink();
        return row_.data();
    }

    void finish()
    {
        run([this] { jpeg_finish_decompress(&object_); });
    }

private:
    template <class Step>
    void run(const Step& step)
    {
        if (!guard_.run(step))
            throw std::invalid_argument(std::string("the picture is damaged: ") + guard_.message());
    }

    static void count_scans(j_common_ptr object)
    {
        if (reinterpret_cast<j_decompress_ptr>(object)->input_scan_number > most_scans)
            ERREXIT2(object, JERR_BAD_PROGRESSION, 0, 0);
    }

    /// Cyan, magenta, yellow and black to red, green and blue, in place. Files with Adobe's marker hold how much light is left, others how much ink there is.
    void from_ink()
    {
        const unsigned flip = object_.saw_Adobe_marker ? 0 : 255;
        const std::uint8_t* from = row_.data();
        std::uint8_t* to = row_.data();
        for (std::size_t x = 0; x < width(); ++x, from += 4)
            for (std::size_t c = 0; c < 3; ++c)
                *to++ = static_cast<std::uint8_t>(((from[c] ^ flip) * (from[3] ^ flip) + 127) / 255);
    }

    jpeg_guard guard_;
    decompressor object_;
    jpeg_progress_mgr progress_{};
    std::vector<std::uint8_t> row_;
    bool ink_ = false;
};

} // namespace

raster shrunk_jpeg(std::string_view bytes, std::size_t width)
{
    jpeg_decoder jpeg(bytes);
    check_pixels(jpeg.width(), jpeg.height());
    const int orientation = jpeg.orientation();
    const bool lies = orientation >= 5;
    extent size = lies ? extent(jpeg.height(), jpeg.width(), width) : extent(jpeg.width(), jpeg.height(), width);
    if (lies)
        std::swap(size.width, size.height);
    shrinker small(jpeg.width(), jpeg.height(), 3, size.width, size.height);
    jpeg.start();
    for (std::size_t y = 0; y < jpeg.height(); ++y)
        small.add(jpeg.row());
    jpeg.finish();
    return upright(small.take(), orientation);
}

} // namespace offload
