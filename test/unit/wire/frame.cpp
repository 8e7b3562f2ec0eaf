// SPDX-License-Identifier: BSL-1.0
// Test that header file is self-contained.
#include "wire/frame.hpp"

#include <twat/mp/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

using namespace twat::mp;
using namespace twat::mp::detail;

BOOST_AUTO_TEST_SUITE(test_wire_frame)

std::vector<std::byte> pattern(std::size_t n)
{
    std::vector<std::byte> bytes(n);
    for (std::size_t i = 0; i < n; ++i)
        bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
    return bytes;
}

bool is_protocol_error(const error& e) { return e.code() == errc::protocol_error; }

/// Gives `bytes` to a reader in pieces of at most `piece` and collects the frames.
std::vector<std::pair<frame_header, std::vector<std::byte>>>
read_all(frame_reader& reader, std::span<const std::byte> bytes, std::size_t piece)
{
    std::vector<std::pair<frame_header, std::vector<std::byte>>> frames;
    while (!bytes.empty()) {
        const auto space = reader.space();
        BOOST_REQUIRE(!space.empty());
        const std::size_t n = std::min({piece, bytes.size(), space.size()});
        std::memcpy(space.data(), bytes.data(), n);
        reader.add(n);
        bytes = bytes.subspan(n);
        while (auto taken = reader.next())
            frames.emplace_back(taken->header, std::vector<std::byte>(taken->bytes.begin(), taken->bytes.end()));
    }
    return frames;
}

BOOST_AUTO_TEST_CASE(a_header_is_read_as_it_was_written)
{
    std::byte bytes[frame_header_size];
    const frame_header header{frame_type::chunk, 3, 0x1234'5678'9abc'def0, 99};
    write_frame_header(bytes, header);
    BOOST_TEST((read_frame_header(bytes, 99) == header));
}

BOOST_AUTO_TEST_CASE(each_byte_of_the_mark_must_fit)
{
    std::byte bytes[frame_header_size];
    write_frame_header(bytes, {frame_type::chunk, 0, 1, 0});
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] ^= std::byte(1);
        BOOST_CHECK_EXCEPTION(read_frame_header(bytes, 99), error, is_protocol_error);
        bytes[i] ^= std::byte(1);
    }
    BOOST_CHECK_NO_THROW(read_frame_header(bytes, 99));
}

BOOST_AUTO_TEST_CASE(frames_arrive_whole_however_they_were_cut)
{
    byte_buffer stream;
    const std::vector<std::size_t> sizes{0, 1, 100, 0, 65'536, 200'000, 3, 10'000'000, 24};
    for (std::size_t i = 0; i < sizes.size(); ++i)
        append_frame(stream, {frame_type::chunk, 0, i, 0}, pattern(sizes[i]));
    for (const std::size_t piece : {std::size_t(1) << 30, std::size_t(70'001), std::size_t(1021)}) {
        frame_reader reader(std::uint64_t(1) << 30);
        const auto frames = read_all(reader, stream.bytes(), piece);
        BOOST_REQUIRE(frames.size() == sizes.size());
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            BOOST_TEST(frames[i].first.id == i);
            BOOST_TEST((frames[i].second == pattern(sizes[i])));
        }
        BOOST_TEST(!reader.is_inside_frame());
    }
}

BOOST_AUTO_TEST_CASE(small_frames_may_come_byte_by_byte)
{
    byte_buffer stream;
    for (std::uint64_t i = 0; i < 50; ++i)
        append_frame(stream, {frame_type::result, 0, i, 0}, pattern(i));
    frame_reader reader(100);
    BOOST_TEST(read_all(reader, stream.bytes(), 1).size() == 50u);
}

BOOST_AUTO_TEST_CASE(a_cut_off_frame_is_not_returned)
{
    byte_buffer stream;
    append_frame(stream, {frame_type::result, 0, 1, 0}, pattern(10));
    for (std::size_t cut = 0; cut < stream.size(); ++cut) {
        frame_reader reader(100);
        BOOST_TEST(read_all(reader, stream.bytes().first(cut), 1000).empty());
        BOOST_TEST(reader.is_inside_frame() == (cut != 0));
        BOOST_TEST(!reader.has_frame());
    }
}

BOOST_AUTO_TEST_CASE(a_length_beyond_the_limit_is_refused_before_its_bytes)
{
    std::byte bytes[frame_header_size];
    write_frame_header(bytes, {frame_type::result, 0, 1, 101});
    BOOST_CHECK_EXCEPTION(read_frame_header(bytes, 100), error, is_protocol_error);
    write_frame_header(bytes, {frame_type::result, 0, 1, static_cast<std::uint64_t>(-1)});
    frame_reader reader(100);
    BOOST_CHECK_EXCEPTION(read_all(reader, bytes, 1000), error, is_protocol_error);
    BOOST_CHECK_EXCEPTION(reader.space(), error, is_protocol_error);
}

BOOST_AUTO_TEST_CASE(garbage_is_refused)
{
    std::byte bytes[frame_header_size];
    for (const auto type : {frame_type(0), frame_type(10), frame_type(32), frame_type(42), frame_type(0xffff)}) {
        write_frame_header(bytes, {type, 0, 0, 0});
        BOOST_CHECK_EXCEPTION(read_frame_header(bytes, 100), error, is_protocol_error);
    }
    std::mt19937 random(1);
    for (int round = 0; round < 1000; ++round) {
        std::vector<std::byte> noise(200);
        std::ranges::generate(noise, [&] { return static_cast<std::byte>(random()); });
        frame_reader reader(100);
        BOOST_CHECK_EXCEPTION(read_all(reader, noise, 50), error, is_protocol_error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
