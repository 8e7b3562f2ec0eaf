// SPDX-License-Identifier: BSL-1.0
#include "codecs.hpp"
#include "jpeg_guard.hpp"

#include <jerror.h>

#include <cstddef>
#include <stdexcept>

namespace offload {
namespace {

constexpr int quality = 85;

/// Where libjpeg writes to.
struct destination
{
    jpeg_destination_mgr manager{}; // the first member: libjpeg's pointer to it is one to this object
    JOCTET block[16 * 1024];
    std::string* bytes = nullptr;

    void reset()
    {
        manager.next_output_byte = block;
        manager.free_in_buffer = sizeof block;
    }
    /// False: no memory. It must not throw through libjpeg.
    bool append(std::size_t size) noexcept
    {
        try {
            bytes->append(reinterpret_cast<const char*>(block), size);
            return true;
        }
        catch (...) {
            return false;
        }
    }
    static destination& of(j_compress_ptr object) { return *reinterpret_cast<destination*>(object->dest); }
};

void begin(j_compress_ptr object) { destination::of(object).reset(); }

boolean block_is_full(j_compress_ptr object)
{
    destination& d = destination::of(object);
    if (!d.append(sizeof d.block))
        ERREXIT1(object, JERR_OUT_OF_MEMORY, 0);
    d.reset();
    return TRUE;
}

void end(j_compress_ptr object)
{
    destination& d = destination::of(object);
    if (!d.append(sizeof d.block - d.manager.free_in_buffer))
        ERREXIT1(object, JERR_OUT_OF_MEMORY, 0);
}

struct compressor : jpeg_compress_struct
{
    compressor() : jpeg_compress_struct() {}
    ~compressor() { jpeg_destroy_compress(this); } // does not fail, also where nothing was created
    compressor(const compressor&) = delete;
};

class jpeg_encoder
{
public:
    jpeg_encoder(const raster& picture, std::string& bytes)
    {
        destination_.bytes = &bytes;
        destination_.manager.init_destination = &begin;
        destination_.manager.empty_output_buffer = &block_is_full;
        destination_.manager.term_destination = &end;
        object_.err = guard_.manager();
        run([this, &picture] {
            jpeg_create_compress(&object_);
            object_.dest = &destination_.manager;
            object_.image_width = static_cast<JDIMENSION>(picture.width);
            object_.image_height = static_cast<JDIMENSION>(picture.height);
            object_.input_components = 3;
            object_.in_color_space = JCS_RGB;
            jpeg_set_defaults(&object_);
            jpeg_set_quality(&object_, quality, TRUE);
            jpeg_start_compress(&object_, TRUE);
        });
        for (std::size_t y = 0; y < picture.height; ++y) {
            JSAMPROW rows[] = {const_cast<JSAMPROW>(picture.at(0, y))}; // libjpeg only reads them
            run([this, &rows] { jpeg_write_scanlines(&object_, rows, 1); });
        }
        run([this] { jpeg_finish_compress(&object_); });
    }

private:
    template <class Step>
    void run(const Step& step)
    {
        if (!guard_.run(step))
            throw std::runtime_error(std::string("libjpeg: ") + guard_.message());
    }

    jpeg_guard guard_;
    destination destination_;
    compressor object_;
};

} // namespace

std::string jpeg_of(const raster& picture)
{
    std::string bytes;
    jpeg_encoder(picture, bytes);
    return bytes;
}

} // namespace offload
