// SPDX-License-Identifier: BSL-1.0
#include "shm/result_ring.hpp"

#include <twat/mp/error.hpp>

#include <algorithm>
#include <cstring>

#include "usage/task_meter.hpp"
#include "shm/arena.hpp"

namespace twat::mp::detail {
namespace {

/// Tells a short header from a long one, which begins with the chunk: no chunk has such an id.
constexpr std::uint64_t short_mark = std::uint64_t(1) << 63;

} // namespace

void write_record_header(std::byte* to, const record& what) noexcept
{
    const std::uint64_t size = what.bytes.size();
    std::memcpy(to, &what.chunk, 8);
    std::memcpy(to + 8, &what.position, 4);
    std::memcpy(to + 12, &what.kind, 4);
    std::memcpy(to + 16, &size, 8);
}

std::optional<record> take_record(std::span<const std::byte>& bytes)
{
    if (bytes.empty())
        return std::nullopt;
    if (bytes.size() < record_header_size)
        throw error(errc::protocol_error, "a worker's outcome is cut off");
    record taken;
    std::uint64_t size;
    std::memcpy(&taken.chunk, bytes.data(), 8);
    std::memcpy(&taken.position, bytes.data() + 8, 4);
    std::memcpy(&taken.kind, bytes.data() + 12, 4);
    std::memcpy(&size, bytes.data() + 16, 8);
    if (size > bytes.size() - record_header_size)
        throw error(errc::protocol_error, "a worker's outcome is longer than what it sent");
    const bool known = taken.kind == record_kind::value || taken.kind == record_kind::failure ||
                       (taken.kind == record_kind::ended && size == 8) ||
                       (taken.kind == record_kind::stored && size == sizeof(arena_place)) ||
                       (taken.kind == record_kind::used && size == sizeof(task_usage));
    if (!known)
        throw error(errc::protocol_error, "a worker's outcome is of no known kind");
    taken.bytes = bytes.subspan(record_header_size, size);
    bytes = bytes.subspan(record_header_size + size);
    return taken;
}

std::optional<record> record_reader::next(std::span<const std::byte>& bytes)
{
    const auto short_size = [&]() -> std::optional<std::uint64_t> {
        if (bytes.size() < short_header_size)
            return std::nullopt;
        std::uint64_t word;
        std::memcpy(&word, bytes.data(), sizeof word);
        return (word & short_mark) != 0 ? std::optional(word & ~short_mark) : std::nullopt;
    };
    if (const auto size = short_size()) {
        if (last_.kind != record_kind::value)
            throw error(errc::protocol_error, "a short record without a preceding one");
        if (*size > bytes.size() - short_header_size)
            throw error(errc::protocol_error, "a worker's outcome is longer than what it sent");
        last_.position += last_.count;
        last_.bytes = bytes.subspan(short_header_size, static_cast<std::size_t>(*size));
        bytes = bytes.subspan(short_header_size + last_.bytes.size());
    } else if (const auto taken = take_record(bytes)) {
        last_ = *taken;
    } else {
        return std::nullopt;
    }
    last_.count = 1;
    if (last_.kind == record_kind::value) {
        const std::size_t size = last_.bytes.size();
        for (auto next = short_size(); next == size && bytes.size() - short_header_size >= size; next = short_size()) {
            bytes = bytes.subspan(short_header_size + size);
            ++last_.count;
        }
    }
    return last_;
}

ring_writer::ring_writer(const shared_page& page)
    : ring_(page.ring()), shared_head_(page.ring_head()), shared_tail_(page.ring_tail())
{}

bool ring_writer::has_room(std::size_t needed) noexcept
{
    if (ring_.size() - static_cast<std::size_t>(head_ - tail_) >= needed)
        return true;
    tail_ = shared_tail_.load(std::memory_order_acquire);
    return ring_.size() - static_cast<std::size_t>(head_ - tail_) >= needed;
}

void ring_writer::copy_in(const std::byte* from, std::size_t n) noexcept
{
    if (n == 0)
        return;
    const std::size_t at = head_ & (ring_.size() - 1);
    const std::size_t first = std::min(n, ring_.size() - at);
    std::memcpy(ring_.data() + at, from, first);
    if (n > first)
        std::memcpy(ring_.data(), from + first, n - first);
    head_ += n;
}

bool ring_writer::write(const record& what) noexcept
{
    const std::size_t size = what.bytes.size();
    if (size > ring_.size() - record_header_size)
        return false;
    // Short: half of what an integer takes, and the reader takes a row of them as one.
    const bool is_short = what.kind == record_kind::value && last_.kind == record_kind::value &&
                          what.chunk == last_.chunk && what.position == last_.position + 1;
    if (!has_room((is_short ? short_header_size : record_header_size) + size))
        return false;
    if (is_short) {
        const std::uint64_t word = short_mark | size;
        const std::size_t at = head_ & (ring_.size() - 1);
        // most of the results that are small: 5 ns saved of 9
        if (size == sizeof word && ring_.size() - at >= 2 * sizeof word) {
            std::memcpy(ring_.data() + at, &word, sizeof word);
            std::memcpy(ring_.data() + at + sizeof word, what.bytes.data(), sizeof word);
            head_ += 2 * sizeof word;
        } else {
            copy_in(reinterpret_cast<const std::byte*>(&word), sizeof word);
            copy_in(what.bytes.data(), size);
        }
        ++last_.position;
    } else {
        std::byte header[record_header_size];
        write_record_header(header, what);
        copy_in(header, sizeof header);
        copy_in(what.bytes.data(), size);
        last_ = {what.chunk, what.position, what.kind, {}};
    }
    shared_head_.store(head_, std::memory_order_release);
    return true;
}

ring_reader::ring_reader(const shared_page& page)
    : ring_(page.ring()), shared_head_(page.ring_head()), shared_tail_(page.ring_tail())
{}

void ring_reader::drain(byte_buffer& into)
{
    const std::uint64_t head = shared_head_.load(std::memory_order_acquire);
    const std::uint64_t published = head - tail_;
    if (published == 0)
        return;
    if (published > ring_.size())
        throw error(errc::protocol_error, "a worker published more than its ring holds");
    const auto n = static_cast<std::size_t>(published);
    const std::size_t at = tail_ & (ring_.size() - 1);
    const std::size_t first = std::min(n, ring_.size() - at);
    into.append(ring_.data() + at, first);
    into.append(ring_.data(), n - first);
    tail_ = head;
    shared_tail_.store(head, std::memory_order_release);
}

} // namespace twat::mp::detail
