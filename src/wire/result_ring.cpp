// SPDX-License-Identifier: BSL-1.0
#include "wire/result_ring.hpp"

#include <twat/mp/error.hpp>

#include <algorithm>
#include <cstring>

namespace twat::mp::detail {

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
                       (taken.kind == record_kind::ended && size == 8);
    if (!known)
        throw error(errc::protocol_error, "a worker's outcome is of no known kind");
    taken.bytes = bytes.subspan(record_header_size, size);
    bytes = bytes.subspan(record_header_size + size);
    return taken;
}

ring_writer::ring_writer(const shared_page& page)
    : ring_(page.ring()), shared_head_(page.ring_head()), shared_tail_(page.ring_tail())
{}

std::size_t ring_writer::room() noexcept
{
    tail_ = shared_tail_.load(std::memory_order_acquire);
    return ring_.size() - static_cast<std::size_t>(head_ - tail_);
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
    if (what.bytes.size() > ring_.size() - record_header_size)
        return false;
    const std::size_t needed = record_header_size + what.bytes.size();
    if (ring_.size() - static_cast<std::size_t>(head_ - tail_) < needed && room() < needed)
        return false;
    std::byte header[record_header_size];
    write_record_header(header, what);
    copy_in(header, sizeof header);
    copy_in(what.bytes.data(), what.bytes.size());
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
