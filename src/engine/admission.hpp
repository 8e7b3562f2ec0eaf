// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_ADMISSION_HPP
#define TWAT_MP_SRC_ENGINE_ADMISSION_HPP

#include <cstddef>
#include <exception>

#include <twat/mp/options.hpp>

#include "engine/run_queue.hpp"
#include "engine/state.hpp"
#include "engine/tenants.hpp"

namespace twat::mp::detail {

/** Bounds what waits for a worker: which operations come in at once, which wait for room, and which are refused.

    An operation needs room among its tenant's first, and then in the pool. One that a worker begins at once does not wait, so as many as
    there are free places for come in beyond the bounds. Counts what waits; whoever asks ends the operations that are refused.
*/
class admission
{
public:
    struct bounds
    {
        std::size_t max_pending = 0;
        std::size_t max_pending_bytes = 0;
        overflow on_overflow = overflow::fail;
        load_shedding shed{};
    };

    explicit admission(const bounds& b) noexcept : bounds_(b) {}

    enum class verdict {
        in,          ///< It counts as waiting for a worker.
        waits,       ///< `next` will return it, unless it leaves before.
        tenant_full, ///< Refused, and not counted.
        pool_full    ///< The same.
    };

    /** An operation arrives.

        @param places Workers that hold nothing, those that are not there yet among them.
    */
    verdict enter(operation_state& op, std::size_t places);
    /// The next one that has waited for room and is in now; null if there is no such operation.
    operation_state* next(std::size_t places);
    /// A task of it has begun, or it is over, wherever it stands.
    void leave(operation_state& op) noexcept;
    /// There may be room among the tenant's, as its options have changed.
    void look_at(tenant_state& tenant) noexcept;

    /// Why `enter` has refused the operation.
    std::exception_ptr why(verdict refused, const operation_state& op) const;

    /// Whether the operation, whose turn it is, is one that may be refused for how long it has waited.
    bool may_shed(const operation_state& op) const noexcept;
    /// Whether it has waited for too long and is to be refused. @pre `may_shed`, and it is the first of its lane.
    bool sheds(operation_state& op, time_point now) noexcept;
    std::exception_ptr waited_too_long(const operation_state& op, time_point now) const;
    /// Whether so many were refused for that that the other handlers of the user's loop have their turn.
    bool has_shed_enough() const noexcept;
    /// They have had it.
    void begin_turn() noexcept { shed_ = 0; }

    bool counts_bytes() const noexcept { return bounds_.max_pending_bytes != 0; }
    std::size_t inside() const noexcept { return inside_; }                     ///< Operations that wait for a worker.
    std::size_t outside() const noexcept { return outside_.size() + held_up_; } ///< And those that wait for room.
    std::size_t bytes() const noexcept { return bytes_; }                       ///< Of the arguments of those inside.

private:
    verdict enter_pool(operation_state& op, std::size_t places);
    void let_in(operation_state& op) noexcept;
    void leave_tenant(tenant_state& tenant) noexcept;
    static bool has_room_of_tenant(const tenant_state& tenant, std::size_t places) noexcept;
    bool has_room(const operation_state& op, std::size_t places) const noexcept;

    const bounds bounds_;
    run_queue<operation_state> outside_; // those that wait for room in the pool
    hooked_tenants with_room_;           // those that may let in one of their own
    std::size_t held_up_ = 0;            // operations that wait for room among their tenant's
    std::size_t inside_ = 0;
    std::size_t bytes_ = 0;
    std::size_t shed_ = 0; // in this turn of the loop
};

} // namespace twat::mp::detail

#endif
