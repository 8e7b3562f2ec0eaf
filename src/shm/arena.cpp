// SPDX-License-Identifier: BSL-1.0
#include "shm/arena.hpp"

#include <twat/mp/error.hpp>

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace twat::mp::detail {
namespace {

constexpr std::size_t line = 64;
/// Giving this back to the system takes about a millisecond.
constexpr std::size_t unmapped_at_once = std::size_t(16) << 20;

constexpr std::uint64_t round_up(std::uint64_t size) noexcept { return (size + line - 1) / line * line; }

} // namespace

void unmap(std::byte* at, std::size_t size, std::size_t touched) noexcept
{
    if (touched <= unmapped_at_once) {
        ::munmap(at, size);
        return;
    }
    sigset_t all, before; // whoever handles signals does not expect to on this thread
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread([at, size] { ::munmap(at, size); }).detach();
    }
    catch (...) { // no thread, or no memory for one
        ::munmap(at, size);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::uint64_t end_of(const arena_place& place) noexcept { return place.begin + round_up(place.size); }

arena_mapping::arena_mapping(int fd, const page_layout& layout, use what) noexcept
{
    if (layout.arena_capacity == 0)
        return;
    const std::size_t size = layout.arena_capacity;
    const std::size_t offset = shared_page::size_of(layout) - (what == use::arguments ? 2 : 1) * size;
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, static_cast<off_t>(offset));
    if (at != MAP_FAILED)
        bytes_ = {static_cast<std::byte*>(at), size};
}

arena_mapping::~arena_mapping()
{
    if (!bytes_.empty())
        unmap(bytes_.data(), bytes_.size(), touched_);
}

std::span<std::byte> arena_mapping::at(const arena_place& place) const
{
    const std::size_t capacity = bytes_.size();
    if (capacity == 0 || place.size > capacity || place.begin % capacity > capacity - place.size)
        throw error(errc::protocol_error, "a value lies outside the memory that is shared for it");
    const auto begin = static_cast<std::size_t>(place.begin % capacity);
    const auto size = static_cast<std::size_t>(place.size);
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
    try {
        slots_.push_back({begin, end - begin, false});
    }
    catch (...) {
        return {};
    }
    return all.subspan(begin, end - begin);
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
    const std::uint64_t contiguous = std::min(room, capacity - offset());
    if (contiguous < least)
        return {};
    return all.subspan(offset(), static_cast<std::size_t>(contiguous));
}

} // namespace twat::mp::detail
