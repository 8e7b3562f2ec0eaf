// SPDX-License-Identifier: BSL-1.0
// pictures CASE FOLDER: runs one of the functions case_* below; FOLDER has the pictures that lie beside this file.
#include "../picture/codecs.hpp"
#include "../tasks.hpp"
#include "damage.hpp"
#include "jpegs.hpp"

#include <twat/mp/multi_pool.hpp>
#include <twat/mp/worker.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace {

using namespace offload;
namespace mp = twat::mp;

std::filesystem::path folder;

std::string file(const char* name)
{
    std::ifstream in(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void check(bool good, const std::string& what)
{
    if (!good)
        throw std::runtime_error(what);
}

std::string text(const std::uint8_t* p, std::size_t channels)
{
    std::string t;
    for (std::size_t c = 0; c < channels; ++c)
        t += (c == 0 ? "" : " ") + std::to_string(p[c]);
    return t;
}

/// The pixel at (x, y) has this colour, but for what JPEG makes of it.
void check_colour(const raster& picture, std::size_t x, std::size_t y, std::array<int, 3> colour,
                  const std::string& what, int off = 8)
{
    const std::uint8_t* const p = picture.at(x, y);
    for (std::size_t c = 0; c < 3; ++c)
        check(std::abs(p[c] - colour[c]) <= off, what + ": " + text(p, picture.channels) + " instead of " +
                                                     std::to_string(colour[0]) + " " + std::to_string(colour[1]) + " " +
                                                     std::to_string(colour[2]));
}

constexpr std::array<int, 3> red{200, 30, 20}, blue{20, 40, 180}, green{30, 160, 60}, grey{128, 128, 128};

/// Red, blue, green and grey quarters, as they are seen when the picture is upright.
constexpr unsigned half = 32;
std::array<int, 3> quarter(unsigned x, unsigned y)
{
    return y < half ? (x < half ? red : blue) : (x < half ? green : grey);
}

std::array<std::uint8_t, 4> bytes_of(std::array<int, 3> c, int fourth = 255)
{
    return {static_cast<std::uint8_t>(c[0]), static_cast<std::uint8_t>(c[1]), static_cast<std::uint8_t>(c[2]),
            static_cast<std::uint8_t>(fourth)};
}

void check_quarters(const raster& p, const std::string& what)
{
    const std::size_t w = p.width, h = p.height;
    check_colour(p, w / 4, h / 4, red, what + ", top left");
    check_colour(p, w * 3 / 4, h / 4, blue, what + ", top right");
    check_colour(p, w / 4, h * 3 / 4, green, what + ", bottom left");
    check_colour(p, w * 3 / 4, h * 3 / 4, grey, what + ", bottom right");
}

std::array<std::uint8_t, 4> coloured(unsigned x, unsigned y) { return bytes_of(quarter(x, y)); }

/// What an ink picture holds: how much light each ink leaves, with the black apart.
std::array<std::uint8_t, 4> light(unsigned x, unsigned y)
{
    const auto c = quarter(x, y);
    const int most = std::max({c[0], c[1], c[2]});
    return bytes_of({c[0] * 255 / most, c[1] * 255 / most, c[2] * 255 / most}, most);
}
std::array<std::uint8_t, 4> ink(unsigned x, unsigned y)
{
    auto p = light(x, y);
    for (auto& c : p)
        c = static_cast<std::uint8_t>(255 - c);
    return p;
}

// ---------------------------------------------------------------- what is right

void case_every_kind_of_jpeg_has_its_colours()
{
    const auto quarters = [](const jpeg_kind& kind, auto pixel, const char* what) {
        check_quarters(shrunk_jpeg(jpeg(kind, 2 * half, 2 * half, pixel), 20), what);
    };
    quarters({}, coloured, "plain");
    quarters({.progressive = true}, coloured, "progressive");
    quarters({.restart = 1}, coloured, "with restart markers");
    quarters({.stored = JCS_RGB, .adobe = true}, coloured, "RGB");
    quarters({.from = JCS_CMYK, .stored = JCS_CMYK, .adobe = true}, light, "CMYK as Adobe writes it");
    quarters({.from = JCS_CMYK, .stored = JCS_YCCK, .adobe = true}, light, "YCCK as Adobe writes it");
    quarters({.from = JCS_CMYK, .stored = JCS_CMYK}, ink, "CMYK without Adobe's marker");
    const auto grey_ramp = [](unsigned x, unsigned) { return bytes_of({static_cast<int>(x * 2), 0, 0}); };
    const raster ramp = shrunk_jpeg(jpeg({.from = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE}, 100, 50, grey_ramp), 10);
    check(ramp.width == 10 && ramp.height == 5, "grey, its size");
    check_colour(ramp, 8, 2, {169, 169, 169}, "grey");
}

void case_a_jpeg_is_upright_whatever_way_the_camera_was_held()
{
    // 80 x 64 pixels upright; where the upright (x, y) lies in the file.
    const unsigned w = 80, h = 64;
    for (int orientation = 1; orientation <= 8; ++orientation) {
        const auto stored = [orientation](unsigned x, unsigned y) {
            const bool lies = orientation >= 5;
            unsigned ux = lies ? y : x, uy = lies ? x : y;
            if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7)
                ux = w - 1 - ux;
            if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8)
                uy = h - 1 - uy;
            return bytes_of(uy < h / 2 ? (ux < w / 2 ? red : blue) : (ux < w / 2 ? green : grey));
        };
        const std::string what = "orientation " + std::to_string(orientation);
        const std::string bytes =
            jpeg({.orientation = orientation}, orientation >= 5 ? h : w, orientation >= 5 ? w : h, stored);
        const raster small = shrunk_jpeg(bytes, 40);
        check(small.width == 40 && small.height == 32, what + ", its size");
        check_quarters(small, what);
        const image made = thumbnail(bytes, 40);
        check(made.width == 40 && made.height == 32 && made.type == "image/jpeg", what + ", as a thumbnail");
        check_quarters(shrunk_jpeg(made.bytes, 40), what + ", read again");
    }
    const raster held = shrunk_jpeg(file("exif6.jpg"), 60);
    check(held.width == 60 && held.height == 40,
          "exif6.jpg: " + std::to_string(held.width) + " x " + std::to_string(held.height));
}

void case_every_kind_of_png_is_taken()
{
    const raster grey_alpha = shrunk_png(file("ga.png"), 320);
    check(grey_alpha.width == 320 && grey_alpha.height == 240 && grey_alpha.channels == 4, "ga.png");
    const raster palette = shrunk_png(file("palalpha.png"), 320);
    check(palette.width == 320 && palette.height == 240 && palette.channels == 4, "palalpha.png");
    for (const raster* p : {&grey_alpha, &palette}) {
        int clear = 0, opaque = 0;
        for (std::size_t i = 3; i < p->bytes.size(); i += 4) {
            clear += p->bytes[i] == 0;
            opaque += p->bytes[i] >= 250;
        }
        check(clear > 0 && opaque > 0, "some of it can be seen and some not");
    }
}

void case_colour_that_cannot_be_seen_does_not_bleed()
{
    raster p(64, 64, 4); // columns of opaque red and of blue that is not to be seen, a column of three each
    for (std::size_t y = 0; y < 64; ++y)
        for (std::size_t x = 0; x < 64; ++x) {
            const auto c = x / 3 % 2 == 0 ? bytes_of(red) : bytes_of(blue, 0);
            std::copy(c.begin(), c.end(), p.at(x, y));
        }
    const raster small = shrunk_png(png_of(p), 10);
    for (std::size_t x = 0; x < 10; ++x) {
        check_colour(small, x, 5, red, "the colour of column " + std::to_string(x), 1);
        check(small.at(x, 5)[3] > 60 && small.at(x, 5)[3] < 200, "half of it is seen");
    }
    check(shrunk_png(png_of(p), 64).bytes == p.bytes, "what is not scaled is not changed");
}

void case_a_mean_is_exact()
{
    // Any size to any smaller one: a flat picture stays flat, and the mean of all stays the same.
    for (std::size_t from : {1, 2, 7, 31, 64})
        for (std::size_t to = 1; to <= from; ++to) {
            raster flat(from, from, 4), ramp(from, from, 3);
            double wanted = 0, got = 0;
            for (std::size_t y = 0; y < from; ++y)
                for (std::size_t x = 0; x < from; ++x) {
                    const auto c = bytes_of(red, 77);
                    std::copy(c.begin(), c.end(), flat.at(x, y));
                    ramp.at(x, y)[1] = static_cast<std::uint8_t>((x * 3 + y * 5) % 256);
                    wanted += ramp.at(x, y)[1];
                }
            shrinker s(from, from, 4, to, to), r(from, from, 3, to, to);
            for (std::size_t y = 0; y < from; ++y) {
                s.add(flat.at(0, y));
                r.add(ramp.at(0, y));
            }
            const raster small = s.take(), means = r.take();
            for (std::size_t i = 0; i < small.bytes.size(); i += 4)
                check(text(&small.bytes[i], 4) == "200 30 20 77",
                      std::to_string(from) + " to " + std::to_string(to) + ": " + text(&small.bytes[i], 4));
            for (std::size_t i = 1; i < means.bytes.size(); i += 3)
                got += means.bytes[i];
            check(std::abs(got / static_cast<double>(to * to) - wanted / static_cast<double>(from * from)) <= 0.6,
                  "the mean of the ramp");
        }
}

// ---------------------------------------------------------------- what is wrong

void refused(const std::string& bytes, const std::string& reason)
{
    try {
        thumbnail(bytes, 50);
    }
    catch (const std::invalid_argument& e) {
        check(std::string(e.what()).find(reason) != std::string::npos, "the message is: " + std::string(e.what()));
        return;
    }
    throw std::runtime_error("it was accepted: " + reason);
}

void case_what_is_damaged_is_refused_with_the_reason()
{
    const std::string whole = jpeg({}, 200, 100, coloured);
    refused(whole.substr(0, whole.size() / 2), "the picture is damaged: ");
    refused(whole.substr(0, 20), "the picture is damaged: ");
    refused("\xff\xd8", "the picture is damaged: ");
    refused(file("ga.png").substr(0, 2000), "the picture is damaged: ");
    refused("GIF89a", "neither a PNG nor a JPEG");
    refused("", "neither a PNG nor a JPEG");
    std::string huge = whole;
    const auto size = huge.find("\xff\xc0") + 5;
    huge.replace(size, 4, "\xff\xdc\xff\xdc"); // 65500 x 65500
    refused(huge, "65500 x 65500 pixels; at most 50000000");
}

void case_a_picture_of_endless_scans_is_refused()
{
    std::string bytes = jpeg({.progressive = true}, 16, 16, coloured);
    const auto last = bytes.rfind("\xff\xda"); // the last scan, which refines: again and again
    const std::string scan = bytes.substr(last, bytes.size() - 2 - last);
    for (int i = 0; i < 1000; ++i)
        bytes.insert(bytes.size() - 2, scan);
    refused(bytes, "the picture is damaged: ");
}

// ---------------------------------------------------------------- damage at random

std::vector<std::string> damaged_pictures()
{
    const std::vector<std::string> whole{
        jpeg({}, 120, 90,
             [](unsigned x, unsigned y) {
                 return bytes_of({int(x * 2), int(y * 2), int(x * y % 256)});
             }),
        jpeg({.progressive = true}, 90, 120,
             [](unsigned x, unsigned y) {
                 return bytes_of({int(x * y % 199), int(y), int(x)});
             }),
        jpeg({.restart = 1}, 100, 100,
             [](unsigned x, unsigned y) {
                 return bytes_of({int(x * x % 256), int(y * 2), int(x + y)});
             }),
        jpeg({.from = JCS_CMYK, .stored = JCS_YCCK, .adobe = true}, 64, 64, light),
        jpeg({.from = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE}, 80, 80,
             [](unsigned x, unsigned y) {
                 return bytes_of({int(x * y % 256), 0, 0});
             }),
        file("exif6.jpg"),
        file("ga.png"),
        file("palalpha.png"),
    };
    std::vector<std::string> all;
    for (unsigned seed = 0; seed < 500; ++seed)
        all.push_back(damaged(whole[seed / 5 % whole.size()], seed));
    return all;
}

/// How the decoder ends: with a picture, where the damage leaves one, or with a refusal.
std::string end_of(std::string bytes)
{
    try {
        const image made = thumbnail(std::move(bytes), 40);
        return made.width <= 40 && made.height > 0 ? "picture" : "strange picture";
    }
    catch (const std::invalid_argument&) {
        return "refused";
    }
}

template <class Pool>
void damaged_in()
{
    const std::vector<std::string> pictures = damaged_pictures();
    Pool pool(2);
    const auto ends = pool.try_map(&end_of, pictures);
    int made = 0, refused = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        if (!ends[i])
            std::cerr << "picture " << i << ":\n";
        made += ends[i].value() == "picture";
        refused += ends[i].value() == "refused";
    }
    std::cout << made << " pictures, " << refused << " refused\n";
    check(static_cast<std::size_t>(made + refused) == pictures.size(), "each ends in one of two ways");
    check(made > 20 && refused > 200, "both of them happen");
    check(pool.stats().died == 0, "no worker dies");
}

void case_five_hundred_damaged_pictures_in_processes() { damaged_in<mp::process_pool>(); }
void case_five_hundred_damaged_pictures_in_threads() { damaged_in<mp::thread_pool>(); }

constexpr std::pair<std::string_view, void (*)()> cases[] = {
    {"every_kind_of_jpeg_has_its_colours", case_every_kind_of_jpeg_has_its_colours},
    {"a_jpeg_is_upright_whatever_way_the_camera_was_held", case_a_jpeg_is_upright_whatever_way_the_camera_was_held},
    {"every_kind_of_png_is_taken", case_every_kind_of_png_is_taken},
    {"colour_that_cannot_be_seen_does_not_bleed", case_colour_that_cannot_be_seen_does_not_bleed},
    {"a_mean_is_exact", case_a_mean_is_exact},
    {"what_is_damaged_is_refused_with_the_reason", case_what_is_damaged_is_refused_with_the_reason},
    {"a_picture_of_endless_scans_is_refused", case_a_picture_of_endless_scans_is_refused},
    {"five_hundred_damaged_pictures_in_processes", case_five_hundred_damaged_pictures_in_processes},
    {"five_hundred_damaged_pictures_in_threads", case_five_hundred_damaged_pictures_in_threads},
};

} // namespace

int main(int argc, char** argv)
{
    mp::run_if_worker(argc, argv);
    if (argc != 3)
        return 2;
    folder = argv[2];
    try {
        for (const auto& [name, run] : cases)
            if (name == argv[1]) {
                run();
                return 0;
            }
        std::cerr << argv[1] << ": no such case\n";
    }
    catch (const std::exception& e) {
        std::cerr << argv[1] << ": " << e.what() << '\n';
    }
    return 1;
}
