// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_SHM_SHARED_PAGE_HPP
#define TWAT_MP_SRC_SHM_SHARED_PAGE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "start/report_board.hpp"

namespace twat::mp::detail {

/// One chunk that a worker holds: a line of its own in the shared page. The parent says which slot a chunk has.
struct alignas(64) chunk_slot
{
    std::atomic<std::uint64_t> claim;   ///< See `claim_state`. Both write.
    std::atomic<std::uint64_t> mark;    ///< See `mark_state`; 0: no task of the chunk runs. The worker writes.
    std::atomic<std::int64_t> begun_at; ///< Steady clock, of the marked task; 0: not stamped. The worker writes.
    std::atomic<std::uint64_t> stop;    ///< Chunk id whose running task is asked to stop. The parent writes.
    /// Steady clock: when the worker came to the chunk; 0: it has not. The worker writes.
    std::atomic<std::int64_t> since;
    /// The same, when the outcomes so far were there. Before they are published.
    std::atomic<std::int64_t> until;
    std::atomic<std::uint8_t> step; ///< How far the marked task is, a `life_phase`. The worker writes.
};

/// How a shared page is divided; fixed before the worker starts.
struct page_layout
{
    std::uint32_t slots = 24;
    std::uint32_t ring_capacity = 256 * 1024; ///< A power of two.
    /// Of each of the two arenas behind the page, see `arena_mapping`. Whole pages.
    std::uint64_t arena_capacity = 0;
};

/** The memory that one worker shares with its parent: slots of its chunks, and the ring of its outcomes.

    A worker writes its outcomes into the ring and which task it runs into the slots, so after its death the parent finds there
    what it finished and what killed it. Nothing in it is a lock. The parent reads every word once and checks it before use.
*/
class shared_page
{
public:
    shared_page() = default;
    shared_page(shared_page&& other) noexcept;
    shared_page& operator=(shared_page&& other) noexcept;
    ~shared_page();

    /// Bytes that a page takes, and the stacks (`stack_area`) and arenas behind it, of which only those are real that are used.
    static std::size_t size_of(page_layout layout) noexcept;
    /// Parent: makes a page of the zeroed memory behind `fd`, which has this size and cannot shrink. Throws `std::system_error`.
    static shared_page create(int fd, page_layout layout);
    /// Worker: how the page behind `fd` is divided. Throws `mp::error` (`protocol_error`) if it is none.
    static page_layout layout_of(int fd);
    /// Worker: maps the page behind `fd`. Throws `mp::error` (`protocol_error`) if it is none.
    static shared_page attach(int fd);

    explicit operator bool() const noexcept { return base_ != nullptr; }
    const page_layout& layout() const noexcept { return layout_; }

    /// @pre `index < layout().slots`
    chunk_slot& slot(std::uint32_t index) const noexcept;
    /// Bytes ever written to the ring; the worker writes it.
    std::atomic<std::uint64_t>& ring_head() const noexcept;
    /// Bytes ever read from it; the parent writes it.
    std::atomic<std::uint64_t>& ring_tail() const noexcept;
    std::span<std::byte> ring() const noexcept;
    /// The worker's resident bytes that it does not share, when it last looked; the worker writes it.
    std::atomic<std::uint64_t>& resident_size() const noexcept;
    /// The coroutine task on the CPU, a `mark_state` of its chunk; 0: none. The worker writes.
    std::atomic<std::uint64_t>& on_cpu() const noexcept;
    /// Up to where the parent has given back what lay in the arena of results; the parent writes it.
    std::atomic<std::uint64_t>& arena_tail() const noexcept;
    /// Not 0: the worker could not map the arena of arguments. It writes that before it answers the greeting.
    std::atomic<std::uint64_t>& arguments_refused() const noexcept;
    /// Not 0: the worker has stopped itself, or is about to, because it saw its parent stopped.
    std::atomic<std::uint64_t>& paused() const noexcept;
    /// What the worker's tasks report; the worker writes it.
    report_board& reports() const noexcept;
    /// Not 0: an allocation in the chunk that runs, or in one beside it, failed because of `pool_options::max_memory_per_child`.
    std::atomic<std::uint64_t>& memory_refused() const noexcept;

private:
    void map(int fd);

    std::byte* base_ = nullptr;
    page_layout layout_{};
};

} // namespace twat::mp::detail

#endif
