// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_OUTCOME_QUEUE_HPP
#define TWAT_MP_SRC_PROCESS_OUTCOME_QUEUE_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <span>

#include "process/decoding.hpp"
#include "process/held_chunks.hpp"
#include "process/worker_owner.hpp"
#include "shm/arena.hpp"
#include "shm/result_ring.hpp"
#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/** Tells the engine the outcomes of one worker process, in their order.

    Each is checked against the chunks that the worker holds. A value that is so large that the pool's loop should not decode it goes through the
    codec thread; what arrives behind it waits until that is done. Places in the arena of results are given back in their order, too.
*/
class outcome_queue
{
public:
    /// How the queue goes on when a value was decoded.
    struct wake_up
    {
        std::function<std::function<void()>()>
            on_strand;               ///< Makes what the codec thread calls. `tell_waiting` follows.
        std::function<void()> later; ///< `tell_waiting` in a later turn.
    };

    /// All outlive this. @param results Values in it may still be decoded when this is gone. @param max_rss 0: none.
    outcome_queue(worker_owner& owner, const worker_identity& worker, held_chunks& held, const shared_page& page,
                  std::shared_ptr<const arena_mapping> results, std::size_t max_rss, wake_up wake);

    /// Tells of it, or keeps it until what is before it is told. Throws `mp::error` (`protocol_error`) if it cannot be.
    void take(const record& what);
    /// Tells what waits and can be told. False: the time was up. Throws as `take`.
    bool tell_waiting(time_point until);
    bool empty() const noexcept { return waiting_.empty(); }
    /// Nobody wants to know any more.
    void drop() noexcept;

private:
    /// An outcome that arrived behind a large value that is being decoded, or is one.
    struct waiting_outcome
    {
        record what;
        noted_chunk held;                ///< Unless it is the end of a chunk, which is noted when it is told.
        byte_buffer copy;                ///< Of its bytes, unless they lie in the arena.
        std::shared_ptr<decoding> value; ///< Waited for; null: for what is before it only.
    };

    void keep_waiting(const record& what);
    result_decoder decodes_apart(const record& stored) const;
    std::span<const std::byte> stored_value(const record& stored) const;
    void tell(const record& what, const noted_chunk& held, const decoding* value = nullptr);
    void let_go_of_sent(const record& what);
    void let_go_of_memory(const record& what);
    void tell_stored(const record& what, const noted_chunk& held, const decoding* value);
    void tell_failure(const record& what, const noted_chunk& held);
    void tell_end(const record& what);
    void give_back(const record& stored) noexcept;

    worker_owner& owner_;
    const worker_identity& worker_;
    held_chunks& held_;
    const shared_page& page_;
    const std::shared_ptr<const arena_mapping> results_;
    const std::size_t max_rss_;
    const wake_up wake_;
    std::deque<waiting_outcome> waiting_;
};

} // namespace twat::mp::detail

#endif
