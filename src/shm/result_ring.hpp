// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_SHM_RESULT_RING_HPP
#define TWAT_MP_SRC_SHM_RESULT_RING_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <twat/mp/detail/codec/byte_buffer.hpp>

#include "shm/shared_page.hpp"

namespace twat::mp::detail {

enum class record_kind : std::uint32_t {
    value = 1,   ///< A task's encoded result.
    failure = 2, ///< A task's encoded exception.
    ended = 3,   ///< The worker is done with the chunk; 8 bytes: nanoseconds that it was busy with it.
    stored = 4,  ///< A task's encoded result, in the arena; 16 bytes: the `arena_place`.
    used = 5,    ///< What a task used, before its outcome; the bytes of a `task_usage`.
};

/// What a worker tells about its chunks. The ring is a row of them; a `result` frame holds one that did not fit.
struct record
{
    std::uint64_t chunk = 0;
    std::uint32_t position = 0;
    record_kind kind{};
    std::span<const std::byte> bytes{};
    /// More than 1: so many values of one size, of tasks from `position` on. `bytes` is the first; between them lies a short header each.
    std::uint32_t count = 1;
};

inline constexpr std::size_t record_header_size = 24;
/// In the ring: of a value of the task behind the one that the record before was about.
inline constexpr std::size_t short_header_size = 8;

void write_record_header(std::byte* to, const record& what) noexcept;

/// Takes the record at the start of `bytes`. Nothing if `bytes` is empty. Throws `mp::error` (`protocol_error`) if it is cut
/// off or malformed. The record refers to `bytes`.
std::optional<record> take_record(std::span<const std::byte>& bytes);

/** Cuts what was drained from one ring into records. */
class record_reader
{
public:
    /// As `take_record`, and takes together what is told together: see `record::count`.
    std::optional<record> next(std::span<const std::byte>& bytes);

private:
    record last_; ///< A short header says nothing but the size: the rest follows from the record before.
};

/** The worker's end of the ring. */
class ring_writer
{
public:
    explicit ring_writer(const shared_page& page);

    /// Appends a record and publishes it: from then on it survives the worker. False if there is no room.
    bool write(const record& what) noexcept;

    /// Bytes published so far.
    std::uint64_t published() const noexcept { return head_; }
    std::size_t size() const noexcept { return ring_.size(); }

private:
    bool has_room(std::size_t needed) noexcept;
    void copy_in(const std::byte* from, std::size_t n) noexcept;

    std::span<std::byte> ring_;
    std::atomic<std::uint64_t>& shared_head_;
    std::atomic<std::uint64_t>& shared_tail_;
    std::uint64_t head_ = 0;
    std::uint64_t tail_ = 0; ///< As last seen.
    record last_;            ///< Without its bytes.
};

/** The parent's end. What it reads is copied before it is looked at, since the worker may go on writing. */
class ring_reader
{
public:
    explicit ring_reader(const shared_page& page);

    /// Appends all published bytes to `into` and gives their room back. Throws `mp::error` (`protocol_error`) if the worker's
    /// position is out of range.
    void drain(byte_buffer& into);
    bool holds_any() const noexcept { return shared_head_.load(std::memory_order_relaxed) != tail_; }

private:
    std::span<std::byte> ring_;
    std::atomic<std::uint64_t>& shared_head_;
    std::atomic<std::uint64_t>& shared_tail_;
    std::uint64_t tail_ = 0;
};

} // namespace twat::mp::detail

#endif
