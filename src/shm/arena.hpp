// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_SHM_ARENA_HPP
#define TWAT_MP_SRC_SHM_ARENA_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>

#include <twat/mp/detail/codec/byte_buffer.hpp>

#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/// Where a large value lies in an arena.
struct arena_place
{
    std::uint64_t begin = 0; ///< Bytes ever given out before it: taken modulo the arena's size, its offset.
    std::uint64_t size = 0;

    friend bool operator==(const arena_place&, const arena_place&) = default;
};

/// What the parent stores into the tail to give a result back, and all before it.
std::uint64_t end_of(const arena_place& place) noexcept;

/// Gives mapped memory back to the system. Where much of it was touched that takes milliseconds, for which no event loop should wait: it
/// is done on a thread of its own.
void unmap(std::byte* at, std::size_t size, std::size_t touched) noexcept;

/** One of the two arenas of a worker's shared memory, mapped: arguments go one way, results the other.

    Kept as long as the worker lives, so its pages stay warm: new pages cost three times as much as copying into old ones. Only the front part
    that was needed so far can be touched, and is memory to a program that locks all of its memory (mlockall).
*/
class arena_mapping
{
public:
    enum class use { arguments, results };
    enum class access { read, write };

    arena_mapping() = default;
    /// Of the file of a shared page with this layout. Empty if there is none, or it cannot be mapped: it is used only for speed.
    arena_mapping(int fd, const page_layout& layout, use what, access how = access::write) noexcept;
    arena_mapping(arena_mapping&& other) noexcept
        : bytes_(std::exchange(other.bytes_, {})), access_(other.access_), open_(std::exchange(other.open_, 0)),
          touched_(std::exchange(other.touched_, 0))
    {}
    arena_mapping& operator=(arena_mapping&& other) noexcept
    {
        std::swap(bytes_, other.bytes_);
        std::swap(access_, other.access_);
        std::swap(open_, other.open_);
        std::swap(touched_, other.touched_);
        return *this;
    }
    ~arena_mapping();

    /// All of it. What may be touched is what `open` or `at` were asked for.
    std::span<std::byte> bytes() const noexcept { return bytes_; }
    /// Opens the front up to `end` at least. Returns up to where it is open; 0 if there is no memory.
    std::size_t open(std::size_t end) const noexcept;
    /// What lies at a place. Throws `mp::error` (`protocol_error`) if it cannot be in the arena.
    std::span<std::byte> at(const arena_place& place) const;

private:
    std::span<std::byte> bytes_;
    access access_ = access::write;
    mutable std::size_t open_ = 0;
    mutable std::size_t touched_ = 0; ///< Nothing behind this was asked for.
};

/** Where the parent puts arguments. Places are given back in any order, and used again from the start when none is in use. */
class argument_arena final : public buffer_memory
{
public:
    explicit argument_arena(arena_mapping mapping) noexcept : mapping_(std::move(mapping)) {}

    std::span<std::byte> take(std::size_t least) noexcept override;
    std::span<std::byte> widen(std::byte* from, std::size_t least) noexcept override;
    void give_back(std::byte* from) noexcept override;

    /// No more of the room that starts at `bytes` will be used than these. Returns where they lie.
    arena_place commit(std::span<const std::byte> bytes) noexcept;

private:
    struct slot
    {
        std::size_t begin, size;
        bool is_free;
    };

    arena_mapping mapping_;
    std::deque<slot> slots_; ///< In the order in which they were taken: a row that may go on at the arena's start.
};

/** Where the worker puts results. The parent gives their places back, in the order in which they were published. */
class result_arena final : public buffer_memory
{
public:
    result_arena(arena_mapping mapping, const std::atomic<std::uint64_t>& tail) noexcept
        : mapping_(std::move(mapping)), tail_(tail)
    {}

    /// For one buffer at a time.
    std::span<std::byte> take(std::size_t least) noexcept override;
    std::span<std::byte> widen(std::byte* from, std::size_t least) noexcept override;
    void give_back(std::byte*) noexcept override { lent_ = false; }

    /// Room for what is published next; empty if there is none, or a buffer has it.
    std::span<std::byte> room(std::size_t least) noexcept;
    /// Whether the bytes lie there, in a buffer.
    bool holds(std::span<const std::byte> bytes) const noexcept
    {
        return lent_ && bytes.data() == mapping_.bytes().data() + offset();
    }
    /// The place of so many bytes there; they are kept, once that is published, until the parent gives it back.
    arena_place next(std::size_t size) const noexcept { return {head_, size}; }
    void publish(const arena_place& place) noexcept { head_ = end_of(place); }

private:
    std::span<std::byte> front_of(std::size_t size, std::size_t least) const noexcept;
    std::size_t offset() const noexcept { return static_cast<std::size_t>(head_ % mapping_.bytes().size()); }

    arena_mapping mapping_;
    const std::atomic<std::uint64_t>& tail_;
    std::uint64_t head_ = 0;  ///< Bytes ever given out.
    std::uint64_t floor_ = 0; ///< What lies before it was given back, or skipped.
    bool lent_ = false;
};

} // namespace twat::mp::detail

#endif
