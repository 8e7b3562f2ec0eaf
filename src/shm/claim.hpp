// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_SHM_CLAIM_HPP
#define TWAT_MP_SRC_SHM_CLAIM_HPP

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

namespace twat::mp::detail {

/// What tells the chunks of one worker apart inside a 64-bit word. Only a few are alive at once, so 31 bits are plenty.
constexpr std::uint32_t chunk_tag(std::uint64_t chunk_id) noexcept
{
    return static_cast<std::uint32_t>(chunk_id & 0x7fff'ffff);
}

/** Who may begin a task of a chunk: the worker claims the next ones, the parent takes back what is not claimed.

    Both change the word by compare-and-swap, so each task is either the worker's or the parent's, never both's.
*/
struct claim_state
{
    std::uint32_t tag = 0;  ///< `chunk_tag` of the chunk that the slot belongs to.
    std::uint32_t next = 0; ///< Position of the first task that is not claimed.
    bool recalled = false;  ///< The parent took back the tasks from `next` on.

    friend bool operator==(const claim_state&, const claim_state&) = default;
};

constexpr std::uint64_t pack(claim_state state) noexcept
{
    return (std::uint64_t(state.recalled) << 63) | (std::uint64_t(state.tag & 0x7fff'ffff) << 32) | state.next;
}

constexpr claim_state unpack_claim(std::uint64_t word) noexcept
{
    return {static_cast<std::uint32_t>(word >> 32) & 0x7fff'ffff, static_cast<std::uint32_t>(word), word >> 63 != 0};
}

/// Tasks [begin, begin + count) of a chunk.
struct claimed_tasks
{
    std::uint32_t begin = 0;
    std::uint32_t count = 0;
};

/// Worker: claims up to `want` of the chunk's `count` tasks. None if all are claimed or the rest was recalled.
inline claimed_tasks claim_tasks(std::atomic<std::uint64_t>& word, std::uint32_t tag, std::uint32_t count,
                                 std::uint32_t want) noexcept
{
    std::uint64_t seen = word.load(std::memory_order_acquire);
    for (;;) {
        const claim_state state = unpack_claim(seen);
        if (state.tag != tag || state.recalled || state.next >= count)
            return {};
        const std::uint32_t taken = std::min(want, count - state.next);
        const std::uint64_t claimed = pack({tag, state.next + taken, false});
        if (word.compare_exchange_weak(seen, claimed, std::memory_order_acq_rel, std::memory_order_acquire))
            return {state.next, taken};
    }
}

/// Parent: takes back what is not claimed. Returns how many tasks the worker keeps, or nothing if the worker wrote
/// something else into the word.
inline std::optional<std::uint32_t> recall_tasks(std::atomic<std::uint64_t>& word, std::uint32_t tag,
                                                 std::uint32_t count) noexcept
{
    std::uint64_t seen = word.load(std::memory_order_acquire);
    for (;;) {
        const claim_state state = unpack_claim(seen);
        if (state.tag != tag || state.next > count)
            return std::nullopt;
        if (state.recalled)
            return state.next;
        const std::uint64_t recalled = pack({tag, state.next, true});
        if (word.compare_exchange_weak(seen, recalled, std::memory_order_acq_rel, std::memory_order_acquire))
            return state.next;
    }
}

/** Which task of a chunk runs. One word, so that a worker that dies while it writes leaves no half of it. */
struct mark_state
{
    std::uint32_t tag = 0;
    std::uint32_t position = 0;

    friend bool operator==(const mark_state&, const mark_state&) = default;
};

/// Never 0, which means that none runs.
constexpr std::uint64_t pack(mark_state state) noexcept
{
    return (std::uint64_t(1) << 63) | (std::uint64_t(state.tag & 0x7fff'ffff) << 32) | state.position;
}

constexpr std::optional<mark_state> unpack_mark(std::uint64_t word) noexcept
{
    if (word >> 63 == 0)
        return std::nullopt;
    return mark_state{static_cast<std::uint32_t>(word >> 32) & 0x7fff'ffff, static_cast<std::uint32_t>(word)};
}

} // namespace twat::mp::detail

#endif
