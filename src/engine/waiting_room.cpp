// SPDX-License-Identifier: BSL-1.0
// The engine's part that bounds what waits for a worker: some operations are refused, or wait for room.
#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>

namespace twat::mp::detail {

// An operation comes in where there is room among its tenant's, and then in the pool.
void engine::enter(operation_state& op)
{
    tenant_state& tenant = *op.tenant;
    if (op.nested) { // what waits for room may wait for the worker that waits for this one
        op.pending = true;
        ++tenant.pending;
        return let_in(op);
    }
    if (tenant.outside.empty() && has_room_among_its_own(op))
        return enter_pool(op);
    op.outside = op.held_up = true;
    ++held_up_;
    tenant.outside.push_back(op);
    if (settings_.on_overflow == overflow::fail)
        refuse(op, queue_full(op));
}

void engine::enter_pool(operation_state& op)
{
    op.pending = true;
    ++op.tenant->pending;
    if (outside_.empty() && has_room_for(op))
        return let_in(op);
    op.outside = true;
    outside_.push_back(op);
    if (settings_.on_overflow == overflow::fail)
        refuse(op, queue_full(op));
}

void engine::refuse(operation_state& op, std::exception_ptr error)
{
    ++totals_.refused;
    if (op.tenant->counters)
        op.tenant->counters->add_refused();
    finish(op, std::move(error));
}

void engine::leave_outside(operation_state& op) noexcept
{
    op.outside = false;
    if (std::exchange(op.held_up, false)) {
        op.tenant->outside.remove(op);
        --held_up_;
    } else {
        outside_.remove(op);
    }
}

void engine::let_in(operation_state& op)
{
    pending_bytes_ += op.waiting_bytes;
    note_work(op);
    line_up(op);
    touch(op); // an empty range is over at once
    make_room(op);
}

// Whether any was let in.
bool engine::let_in_those_that_wait()
{
    if (ending_)
        return false;
    bool any = false;
    while (!with_room_.empty()) {
        tenant_state& tenant = with_room_.front();
        with_room_.pop_front();
        any = let_in_of(tenant) || any;
    }
    while (operation_state* const next = outside_.front()) {
        operation_state& op = *next;
        if (!has_room_for(op))
            break;
        leave_outside(op);
        let_in(op);
        any = true;
    }
    return any;
}

// Those that wait until fewer of their own do.
bool engine::let_in_of(tenant_state& tenant)
{
    bool any = false;
    while (operation_state* const next = tenant.outside.front()) {
        if (!has_room_among_its_own(*next))
            break;
        leave_outside(*next);
        enter_pool(*next);
        any = true;
    }
    return any;
}

bool engine::has_room_among_its_own(const operation_state& op) const noexcept
{
    const tenant_state& tenant = *op.tenant;
    if (tenant.options.max_pending == 0)
        return true;
    std::size_t places = settings_.nodes - std::min(settings_.nodes, ledger_.occupied());
    if (const std::size_t most = tenant.options.max_running; most != 0)
        places = std::min(places, most - std::min(most, tenant.running));
    return tenant.pending < tenant.options.max_pending || tenant.pending - tenant.options.max_pending < places;
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
    return settings_.max_pending_bytes == 0 || (pending_bytes_ <= settings_.max_pending_bytes &&
                                                op.waiting_bytes <= settings_.max_pending_bytes - pending_bytes_);
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

// Whether an operation whose turn it is has waited for too long, and was refused.
bool engine::sheds(operation_state& op)
{
    if (settings_.shed.target == duration::zero() || op.nested || op.begun || op.held_chunks != 0 ||
        op.outcomes() != 0 || op.died || op.retried)
        return false;
    const time_point now = now_();
    const duration waited = now - op.initiated;
    lane& place = op.place();
    const bool last = std::next(place.line.begin()) == place.line.end();
    if (!place.delay.refuses(settings_.shed, now, waited, last))
        return false;
    ++shed_;
    const auto in_ms = [](duration d) {
        return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
    };
    refuse(op, make_error(errc::queue_full, "the pool is overloaded: the call waited for " + in_ms(waited) + ", " +
                                                in_ms(settings_.shed.target) + " are acceptable (pool_options::shed)"));
    return true;
}

std::exception_ptr engine::queue_full(const operation_state& op) const
{
    if (!op.pending)
        return make_error(errc::queue_full, std::to_string(op.tenant->pending) + " calls of tenant " +
                                                std::to_string(op.tenant->id.value) +
                                                " wait for a worker already (tenant_options::max_pending)");
    std::string what = std::to_string(not_begun()) + " calls wait for a worker already";
    if (pending_bytes_ != 0)
        what += ", with " + std::to_string(pending_bytes_) + " bytes of arguments";
    return make_error(errc::queue_full, what + " (pool_options::max_pending, max_pending_bytes)");
}

void engine::no_longer_waits(operation_state& op) noexcept
{
    if (!op.outside)
        pending_bytes_ -= std::exchange(op.waiting_bytes, 0);
    if (!std::exchange(op.pending, false))
        return;
    tenant_state& tenant = *op.tenant;
    --tenant.pending;
    if (!tenant.outside.empty() && !tenant.tenant_hook<roomy_tenant_tag>::is_linked())
        with_room_.push_back(tenant);
}

} // namespace twat::mp::detail
