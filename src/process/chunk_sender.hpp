// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_CHUNK_SENDER_HPP
#define TWAT_MP_SRC_PROCESS_CHUNK_SENDER_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "process/held_chunks.hpp"
#include "process/worker_channel.hpp"
#include "shm/arena.hpp"
#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/** Writes chunks for one worker process: each function once, arguments into the shared memory if they are large and it can have them there, and
    into the socket otherwise. All of it is queued in the channel; somebody else sends it.
*/
class chunk_sender
{
public:
    /// All outlive this. @param arguments The memory that the worker reads arguments from.
    chunk_sender(worker_channel& channel, held_chunks& held, const shared_page& page,
                 std::shared_ptr<argument_arena> arguments)
        : channel_(channel), held_(held), page_(page), arguments_(std::move(arguments))
    {}

    /// See `backend::memory`.
    const std::shared_ptr<argument_arena>& memory() const noexcept { return arguments_; }

    /// @param held What `held_chunks` made of it.
    void queue(const chunk& work, const process_chunk& held, time_point now);

private:
    void queue_function(const chunk& work);
    void forget_old_functions();
    std::optional<arena_place> place_arguments(const encoded_payload& tasks, chunk_id id);

    worker_channel& channel_;
    held_chunks& held_;
    const shared_page& page_;
    std::shared_ptr<argument_arena> arguments_;
    /// That it was sent, by operation.
    std::unordered_map<std::uint64_t, std::weak_ptr<const attached_bytes>> functions_;
    std::size_t sweep_functions_at_ = 16;
};

} // namespace twat::mp::detail

#endif
