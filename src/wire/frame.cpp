// SPDX-License-Identifier: BSL-1.0
#include "wire/frame.hpp"

#include <twat/mp/error.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace twat::mp::detail {
namespace {

constexpr std::uint32_t frame_magic = 0x7477'6d70;
constexpr std::size_t usual_capacity = 64 * 1024;
/// Larger buffers are given back once their frame was read.
constexpr std::size_t kept_capacity = 4 * 1024 * 1024;

bool is_known(frame_type type)
{
    return (type >= frame_type::hello && type <= frame_type::goodbye) ||
           (type >= frame_type::hello_reply && type <= frame_type::farewell);
}

} // namespace

void write_frame_header(std::byte* to, const frame_header& header) noexcept
{
    std::memcpy(to, &frame_magic, 4);
    std::memcpy(to + 4, &header.type, 2);
    std::memcpy(to + 6, &header.flags, 2);
    std::memcpy(to + 8, &header.id, 8);
    std::memcpy(to + 16, &header.length, 8);
}

frame_header read_frame_header(std::span<const std::byte> bytes, std::uint64_t limit)
{
    std::uint32_t magic;
    frame_header header;
    std::memcpy(&magic, bytes.data(), 4);
    std::memcpy(&header.type, bytes.data() + 4, 2);
    std::memcpy(&header.flags, bytes.data() + 6, 2);
    std::memcpy(&header.id, bytes.data() + 8, 8);
    std::memcpy(&header.length, bytes.data() + 16, 8);
    if (magic != frame_magic || !is_known(header.type))
        throw error(errc::protocol_error, "what arrived is not the start of a frame");
    if (header.length > limit)
        throw error(errc::protocol_error, "a frame of " + std::to_string(header.length) +
                                              " bytes exceeds the limit of " + std::to_string(limit));
    return header;
}

void append_frame(byte_buffer& to, frame_header header, std::span<const std::byte> bytes)
{
    header.length = bytes.size();
    write_frame_header(to.extend(frame_header_size), header);
    to.append(bytes.data(), bytes.size());
}

std::span<std::byte> frame_reader::space()
{
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (buffer_.capacity() > kept_capacity)
            buffer_ = byte_buffer();
    }
    std::size_t needed = usual_capacity;
    if (end_ - begin_ >= frame_header_size) {
        const std::uint64_t length = read_frame_header({buffer_.data() + begin_, frame_header_size}, limit_).length;
        needed = std::max(needed, frame_header_size + static_cast<std::size_t>(length));
    }
    if (begin_ != 0 && (buffer_.size() == end_ || needed > buffer_.size() - begin_)) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (buffer_.size() < needed || buffer_.size() == end_) {
        buffer_.truncate(end_);
        buffer_.reserve(std::max(needed, end_ + 1));
        buffer_.extend(buffer_.capacity() - end_);
    }
    return {buffer_.data() + end_, buffer_.size() - end_};
}

std::optional<frame> frame_reader::next()
{
    if (end_ - begin_ < frame_header_size)
        return std::nullopt;
    const frame_header header = read_frame_header({buffer_.data() + begin_, frame_header_size}, limit_);
    if (end_ - begin_ - frame_header_size < header.length)
        return std::nullopt;
    const auto length = static_cast<std::size_t>(header.length);
    const frame taken{header, {buffer_.data() + begin_ + frame_header_size, length}};
    begin_ += frame_header_size + length;
    return taken;
}

bool frame_reader::has_frame()
{
    if (end_ - begin_ < frame_header_size)
        return false;
    const frame_header header = read_frame_header({buffer_.data() + begin_, frame_header_size}, limit_);
    return end_ - begin_ - frame_header_size >= header.length;
}

} // namespace twat::mp::detail
