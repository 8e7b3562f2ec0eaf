// SPDX-License-Identifier: BSL-1.0
#include "engine/admission.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include <twat/mp/detail/exception/make_error.hpp>
#include <twat/mp/error.hpp>

namespace twat::mp::detail {
namespace {

// Operations that are refused in one go because they waited for too long: about 100 us, for which the user's loop stands still.
constexpr std::size_t most_shed_at_once = 64;

} // namespace

admission::verdict admission::enter(operation_state& op, std::size_t places)
{
    tenant_state& tenant = *op.tenant;
    if (op.nested) { // what waits for room may wait for the worker that waits for this one
        ++tenant.pending;
        let_in(op);
        return verdict::in;
    }
    if (tenant.outside.empty() && has_room_of_tenant(tenant, places))
        return enter_pool(op, places);
    if (bounds_.on_overflow == overflow::fail)
        return verdict::tenant_full;
    op.stands = standing::held_up;
    ++held_up_;
    tenant.outside.push_back(op);
    return verdict::waits;
}

admission::verdict admission::enter_pool(operation_state& op, std::size_t places)
{
    const bool fits = outside_.empty() && has_room(op, places);
    if (!fits && bounds_.on_overflow == overflow::fail)
        return verdict::pool_full;
    ++op.tenant->pending;
    if (fits) {
        let_in(op);
        return verdict::in;
    }
    op.stands = standing::outside;
    outside_.push_back(op);
    return verdict::waits;
}

void admission::let_in(operation_state& op) noexcept
{
    op.stands = standing::inside;
    ++inside_;
    bytes_ += op.waiting_bytes;
}

operation_state* admission::next(std::size_t places)
{
    while (!with_room_.empty()) {
        tenant_state& tenant = with_room_.front();
        operation_state* const op = tenant.outside.front();
        if (!op || !has_room_of_tenant(tenant, places)) {
            with_room_.pop_front();
            continue;
        }
        tenant.outside.remove(*op);
        --held_up_;
        if (enter_pool(*op, places) == verdict::in)
            return op;
    }
    operation_state* const op = outside_.front();
    if (!op || !has_room(*op, places))
        return nullptr;
    outside_.remove(*op);
    let_in(*op);
    return op;
}

void admission::leave(operation_state& op) noexcept
{
    switch (std::exchange(op.stands, standing::past)) {
    case standing::arriving:
    case standing::past: break;
    case standing::held_up:
        op.tenant->outside.remove(op);
        --held_up_;
        break;
    case standing::outside:
        outside_.remove(op);
        leave_tenant(*op.tenant);
        break;
    case standing::inside:
        --inside_;
        bytes_ -= op.waiting_bytes;
        leave_tenant(*op.tenant);
        break;
    }
    op.waiting_bytes = 0;
}

void admission::leave_tenant(tenant_state& tenant) noexcept
{
    --tenant.pending;
    look_at(tenant);
}

void admission::look_at(tenant_state& tenant) noexcept
{
    if (!tenant.outside.empty() && !tenant.tenant_hook<roomy_tenant_tag>::is_linked())
        with_room_.push_back(tenant);
}

bool admission::has_room_of_tenant(const tenant_state& tenant, std::size_t places) noexcept
{
    if (tenant.options.max_pending == 0)
        return true;
    if (const std::size_t most = tenant.options.max_running; most != 0)
        places = std::min(places, most - std::min(most, tenant.running));
    return tenant.pending < tenant.options.max_pending || tenant.pending - tenant.options.max_pending < places;
}

// An operation that begins at once does not wait, however large it is.
bool admission::has_room(const operation_state& op, std::size_t places) const noexcept
{
    if (bounds_.max_pending == 0 && bounds_.max_pending_bytes == 0)
        return true;
    if (inside_ < places)
        return true;
    if (bounds_.max_pending != 0 && inside_ >= bounds_.max_pending + places)
        return false;
    return bounds_.max_pending_bytes == 0 ||
           (bytes_ <= bounds_.max_pending_bytes && op.waiting_bytes <= bounds_.max_pending_bytes - bytes_);
}

std::exception_ptr admission::why(verdict refused, const operation_state& op) const
{
    if (refused == verdict::tenant_full)
        return make_error(errc::queue_full, std::to_string(op.tenant->pending) + " calls of tenant " +
                                                std::to_string(op.tenant->id.value) +
                                                " wait for a worker already (tenant_options::max_pending)");
    std::string what = std::to_string(inside_) + " calls wait for a worker already";
    if (bytes_ != 0)
        what += ", with " + std::to_string(bytes_) + " bytes of arguments";
    return make_error(errc::queue_full, what + " (pool_options::max_pending, max_pending_bytes)");
}

bool admission::may_shed(const operation_state& op) const noexcept
{
    return bounds_.shed.target != duration::zero() && !op.nested && !op.begun && op.held_chunks == 0 &&
           op.outcomes() == 0 && !op.died && !op.retried;
}

bool admission::sheds(operation_state& op, time_point now) noexcept
{
    lane& place = op.place();
    const bool last = std::next(place.line.begin()) == place.line.end();
    if (!place.delay.refuses(bounds_.shed, now, now - op.initiated, last))
        return false;
    ++shed_;
    return true;
}

bool admission::has_shed_enough() const noexcept { return shed_ == most_shed_at_once; }

std::exception_ptr admission::waited_too_long(const operation_state& op, time_point now) const
{
    const auto in_ms = [](duration d) {
        return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
    };
    return make_error(errc::queue_full, "the pool is overloaded: the call waited for " + in_ms(now - op.initiated) +
                                            ", " + in_ms(bounds_.shed.target) + " are acceptable (pool_options::shed)");
}

} // namespace twat::mp::detail
