// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_OUTCOMES_HPP
#define TWAT_MP_SRC_WORKER_OUTCOMES_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <twat/mp/options.hpp>

#include "shm/arena.hpp"
#include "shm/result_ring.hpp"
#include "worker/connection.hpp"

namespace twat::mp::detail {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/** Where a worker leaves its outcomes: in the ring, large ones in the arena, and those that do not fit there on the socket.

    Either way an outcome is out of the worker's hands before the next task begins. The parent reads the ring only when it is told to,
    which costs both sides a system call; so it is told once for many.
*/
class outcome_writer
{
public:
    outcome_writer(worker_connection& connection, const shared_page& page, std::shared_ptr<result_arena> arena)
        : connection_(connection), ring_(page), arena_(std::move(arena))
    {}

    /// Where large results may be encoded, so that they need no copy; see `byte_buffer`.
    const std::shared_ptr<result_arena>& arena() const noexcept { return arena_; }

    /// The outcomes of one chunk, in order. Once one has gone over the socket the others do, too, so that none overtakes it.
    class of_chunk
    {
    public:
        of_chunk(outcome_writer& writer, std::uint64_t chunk) : writer_(writer), chunk_(chunk) {}

        void write(record_kind kind, std::uint32_t position, std::span<const std::byte> bytes,
                   const attachments* sent = nullptr);
        void end(duration busy);

    private:
        outcome_writer& writer_;
        std::uint64_t chunk_;
        bool over_socket_ = false;
    };

    /// Tells the parent what it was not told yet.
    void tell();
    /// The same, if it was last told long enough ago that it may wait for it.
    void tell_if_late(time_point now);
    /// The same, if the ring fills up with what it was not told.
    void tell_if_much();
    time_point last_told() const noexcept { return last_told_; }

private:
    bool wait_and_write(const record& what);
    bool store(const record& what);
    void send(const record& what);

    worker_connection& connection_;
    ring_writer ring_;
    std::shared_ptr<result_arena> arena_;
    std::uint64_t told_ = 0;
    time_point last_told_{};
};

} // namespace twat::mp::detail

#endif
