// SPDX-License-Identifier: BSL-1.0
// The engine's part that bounds what waits for a worker: some operations are refused, or wait for room.
#include "engine/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>

namespace twat::mp::detail {

void engine::let_in(operation_state& op)
{
    pending_bytes_ += op.waiting_bytes;
    line_up(op);
    touch(op); // an empty range is over at once
    make_room(op);
}

// Whether any was let in.
bool engine::let_in_those_that_wait()
{
    bool any = false;
    while (operation_state* const next = outside_.front()) {
        operation_state& op = *next;
        if (!has_room_for(op))
            break;
        outside_.remove(op);
        op.outside = false;
        let_in(op);
        any = true;
    }
    return any;
}

// An operation that begins at once does not wait, however large it is.
bool engine::has_room_for(const operation_state& op) const
{
    if (settings_.max_pending == 0 && settings_.max_pending_bytes == 0)
        return true;
    const std::size_t places = settings_.nodes - std::min(settings_.nodes, ledger_.occupied());
    const std::size_t waiting = not_begun() - !op.outside; // without itself
    if (waiting < places)
        return true;
    if (settings_.max_pending != 0 && waiting >= settings_.max_pending + places)
        return false;
    return settings_.max_pending_bytes == 0 ||
           (pending_bytes_ <= settings_.max_pending_bytes && op.waiting_bytes <= settings_.max_pending_bytes - pending_bytes_);
}

// Encodes the arguments of a single call, to know how many bytes they are. Ranges are not read before it is their turn.
void engine::measure(operation_state& op)
{
    if (settings_.max_pending_bytes == 0 || op.traits().stream || op.traits().total != 1u)
        return;
    if (std::shared_ptr<chunk> work = pull_chunk(op, 1)) {
        op.waiting_bytes = work->tasks->size_in_bytes();
        op.requeued_tasks += work->tasks->size();
        op.requeued.push_back(std::move(work));
    }
}

std::exception_ptr engine::queue_full() const
{
    std::string what = std::to_string(not_begun()) + " calls wait for a worker already";
    if (pending_bytes_ != 0)
        what += ", with " + std::to_string(pending_bytes_) + " bytes of arguments";
    return make_error(errc::queue_full, what + " (pool_options::max_pending, max_pending_bytes)");
}

void engine::no_longer_waits(operation_state& op) noexcept
{
    if (!op.outside)
        pending_bytes_ -= std::exchange(op.waiting_bytes, 0);
}

} // namespace twat::mp::detail
