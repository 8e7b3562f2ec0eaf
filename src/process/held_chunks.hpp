// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_HELD_CHUNKS_HPP
#define TWAT_MP_SRC_PROCESS_HELD_CHUNKS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "backend/backend.hpp"
#include "shm/result_ring.hpp"
#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/// A chunk that a worker process was given and has not ended.
struct process_chunk
{
    std::shared_ptr<const chunk> work; ///< Its bytes may still be on their way.
    chunk_id id = 0;
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t slot = 0;
    std::uint32_t kept = 0; ///< Tasks that the worker is left with.
    std::uint32_t done = 0; ///< Tasks whose outcome arrived.
    bool timed = false;
    bool abandoned = false; ///< Nobody waits for it.
    byte_buffer copy;       ///< Of its arguments, in the arena, if they were put there when it was sent.
};

/// A chunk of which the worker told something.
struct noted_chunk
{
    std::uint64_t first = 0;
    bool abandoned = false;
};

/** The chunks that one worker holds, and the slots in the shared page that go with them.

    What the worker says is checked against them: outcomes come in order, each once, and only of tasks that it may run.
*/
class held_chunks
{
public:
    explicit held_chunks(const shared_page& page);

    /// Gives a chunk a slot, which it prepares. @pre There are fewer chunks than slots.
    const process_chunk& add(const chunk& work);

    /// Keeps what the worker reads the chunk's arguments from until it has ended the chunk.
    void keep(chunk_id id, byte_buffer copy) noexcept { look_up(id)->copy = std::move(copy); }

    /// Null if the worker does not hold it.
    const process_chunk* find(chunk_id id) const noexcept;
    bool empty() const noexcept { return chunks_.empty(); }
    /// Chunks that somebody waits for.
    std::size_t wanted() const noexcept { return chunks_.size() - abandoned_; }
    std::size_t abandoned() const noexcept { return abandoned_; }
    /// Tasks that somebody waits for.
    std::size_t outstanding() const noexcept;

    /// Takes back what the worker has not claimed; returns how many tasks it keeps. Nothing if the worker has put something
    /// into the slot that cannot be.
    std::optional<std::size_t> recall(chunk_id id) noexcept;

    /// Asks in the page for the running task to stop.
    void request_stop(chunk_id id) noexcept;

    /// See `backend::running`.
    std::optional<backend::running_task> running(chunk_id id, time_point now) const noexcept;

    /// See `backend::times`.
    std::optional<backend::chunk_times> times(chunk_id id, time_point now) const noexcept;
    /// See `worker_loss::chunks`.
    std::vector<worker_loss::begun_chunk> come_to(time_point now) const;

    void abandon(chunk_id id) noexcept;

    /// Notes outcomes, or the end of a chunk, which it forgets. Throws `mp::error` (`protocol_error`) if it cannot be.
    noted_chunk note(const record& what);

    /// After the worker's death: the tasks that it had begun and not finished, of chunks that somebody waits for. A coroutine task is a
    /// culprit if it was on the CPU.
    std::vector<worker_loss::begun_task> begun() const;
    /// The same for the running task of one chunk: how far it was.
    life_phase step(chunk_id id) const noexcept;

private:
    process_chunk* look_up(chunk_id id) noexcept;

    const shared_page& page_;
    std::vector<process_chunk> chunks_;
    std::vector<std::uint32_t> free_slots_; ///< Those that were used before.
    std::uint32_t unused_slots_ = 0;        ///< From this one on, slots were never used.
    std::size_t abandoned_ = 0;
};

} // namespace twat::mp::detail

#endif
