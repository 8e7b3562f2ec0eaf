// SPDX-License-Identifier: BSL-1.0
#include "shm/arena.hpp"

#include <twat/mp/error.hpp>

#include <signal.h>

#include <algorithm>
#include <bit>
#include <thread>
#include <utility>

#include "os/fork_mark.hpp"
#include "os/mapping.hpp"
#include "os/overcommit.hpp"

namespace twat::mp::detail {
namespace {

constexpr std::size_t line = 64;
/// Opening costs a system call, of memory that is needed anyway if anything is.
constexpr std::size_t least_open = std::size_t(1) << 20;
/// Giving this back to the system takes about a millisecond.
constexpr std::size_t unmapped_at_once = std::size_t(16) << 20;

constexpr std::uint64_t round_up(std::uint64_t size) noexcept { return (size + line - 1) / line * line; }

} // namespace

void unmap(std::byte* at, std::size_t size, std::size_t touched) noexcept
{
    if (touched <= unmapped_at_once) {
        unmap_memory(at, size);
        return;
    }
    sigset_t all, before; // whoever handles signals does not expect to on this thread
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread([at, size] { unmap_memory(at, size); }).detach();
    }
    catch (...) { // no thread, or no memory for one
        unmap_memory(at, size);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::uint64_t end_of(const arena_place& place) noexcept { return place.begin + round_up(place.size); }

arena_mapping::arena_mapping(int fd, const page_layout& layout, use what, access how) noexcept : access_(how)
{
    if (layout.arena_capacity == 0)
        return;
    const std::size_t size = layout.arena_capacity;
    const std::size_t offset = shared_page::size_of(layout) - (what == use::arguments ? 2 : 1) * size;
    std::byte* const at = map_shared(fd, offset, size, memory_access::none);
    if (!at)
        return;
    bytes_ = {at, size};
    prefer_large_pages(at, size);
}

arena_mapping::~arena_mapping()
{
    if (!bytes_.empty())
        unmap(bytes_.data(), bytes_.size(), touched_);
}

std::size_t arena_mapping::open(std::size_t end) const noexcept
{
    if (end <= open_)
        return open_;
    const std::size_t wanted = std::min(bytes_.size(), std::bit_ceil(std::max(end, least_open)));
    std::byte* const from = bytes_.data() + open_;
    const bool writes = access_ == access::write;
    if (!set_access(from, wanted - open_, writes ? memory_access::read_write : memory_access::read))
        return 0;
    if (writes && !back_with_memory(from, wanted - open_)) {
        set_access(from, wanted - open_, memory_access::none);
        return 0;
    }
    return open_ = wanted;
}

std::span<std::byte> arena_mapping::at(const arena_place& place) const
{
    const std::size_t capacity = bytes_.size();
    if (capacity == 0 || place.size > capacity || place.begin % capacity > capacity - place.size)
        throw error(errc::protocol_error, "a value lies outside the memory that is shared for it");
    const auto begin = static_cast<std::size_t>(place.begin % capacity);
    const auto size = static_cast<std::size_t>(place.size);
    if (begin + size > open_ && open(begin + size) == 0)
        throw error(errc::protocol_error, "the memory that is shared for a value cannot be used");
    touched_ = std::max(touched_, begin + size);
    return bytes_.subspan(begin, size);
}

std::span<std::byte> argument_arena::take(std::size_t least) noexcept
{
    const std::span<std::byte> all = mapping_.bytes();
    std::size_t begin = 0;
    std::size_t end = all.size();
    if (!slots_.empty()) {
        const std::size_t front = slots_.front().begin;
        begin = slots_.back().begin + slots_.back().size;
        if (slots_.back().begin < front)
            end = front;
        else if (end - begin < least) {
            begin = 0;
            end = front;
        }
    }
    if (end - begin < std::max<std::size_t>(least, 1))
        return {};
    const std::size_t open = mapping_.open(begin + std::max<std::size_t>(least, 1));
    if (open == 0)
        return {};
    try {
        slots_.push_back({begin, end - begin, false});
    }
    catch (...) {
        return {};
    }
    return all.subspan(begin, std::min(end, open) - begin);
}

// The room behind it is kept free until `commit` says how much it needs.
std::span<std::byte> argument_arena::widen(std::byte* from, std::size_t least) noexcept
{
    const auto begin = static_cast<std::size_t>(from - mapping_.bytes().data());
    const auto found = std::ranges::find(slots_, begin, &slot::begin);
    if (found == slots_.end() || found->size < least)
        return {};
    const std::size_t open = mapping_.open(begin + least);
    return mapping_.bytes().subspan(begin, open == 0 ? 0 : std::min(begin + found->size, open) - begin);
}

arena_place argument_arena::commit(std::span<const std::byte> bytes) noexcept
{
    const auto begin = static_cast<std::size_t>(bytes.data() - mapping_.bytes().data());
    slot& last = slots_.back(); // mostly; an older one has its size already
    if (last.begin == begin)
        last.size = std::min<std::size_t>(last.size, round_up(bytes.size()));
    const arena_place place{begin, bytes.size()};
    mapping_.at(place);
    return place;
}

void argument_arena::give_back(std::byte* from) noexcept
{
    const auto begin = static_cast<std::size_t>(from - mapping_.bytes().data());
    const auto found = std::ranges::find(slots_, begin, &slot::begin);
    if (found == slots_.end())
        return;
    found->is_free = true;
    while (!slots_.empty() && slots_.front().is_free)
        slots_.pop_front();
    while (!slots_.empty() && slots_.back().is_free)
        slots_.pop_back();
}

std::span<std::byte> result_arena::take(std::size_t least) noexcept
{
    if (is_copy())
        return {}; // the place is the original's
    const std::span<std::byte> taken = room(least);
    lent_ = lent_ || !taken.empty();
    return taken;
}

std::span<std::byte> result_arena::room(std::size_t least) noexcept
{
    const std::span<std::byte> all = mapping_.bytes();
    if (all.empty() || lent_)
        return {};
    const std::uint64_t capacity = all.size();
    const std::uint64_t tail = tail_.load(std::memory_order_acquire);
    if (tail >= head_) { // nothing is kept: the pages at the start are the warm ones
        head_ = (head_ + capacity - 1) / capacity * capacity;
        floor_ = head_;
    }
    floor_ = std::max(floor_, std::min(tail, head_));
    std::uint64_t room = capacity - (head_ - floor_);
    const std::uint64_t to_end = capacity - offset();
    if (std::min(room, to_end) < least && room > to_end) {
        if (room - to_end < least)
            return {};
        head_ += to_end;
        room -= to_end;
    }
    return front_of(static_cast<std::size_t>(std::min(room, capacity - offset())), least);
}

std::span<std::byte> result_arena::widen(std::byte* from, std::size_t least) noexcept
{
    const std::uint64_t capacity = mapping_.bytes().size();
    if (from != mapping_.bytes().data() + offset())
        return {};
    floor_ = std::max(floor_, std::min(tail_.load(std::memory_order_acquire), head_));
    return front_of(static_cast<std::size_t>(std::min(capacity - (head_ - floor_), capacity - offset())), least);
}

/// Of the free room of this size at `offset()`.
std::span<std::byte> result_arena::front_of(std::size_t size, std::size_t least) const noexcept
{
    const std::size_t open = size < least ? 0 : mapping_.open(offset() + std::max<std::size_t>(least, 1));
    return mapping_.bytes().subspan(offset(), open == 0 ? 0 : std::min(size, open - offset()));
}

} // namespace twat::mp::detail
