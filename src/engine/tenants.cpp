// SPDX-License-Identifier: BSL-1.0
#include "engine/tenants.hpp"

#include <random>

namespace twat::mp::detail {

tenant_table::hash::hash() : seed((std::uint64_t(std::random_device()()) << 32) | std::random_device()()) {}

// The finalizer of splitmix64.
std::size_t tenant_table::hash::operator()(std::uint64_t value) const noexcept
{
    value += seed;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return static_cast<std::size_t>(value ^ (value >> 31));
}

tenant_state& tenant_table::get(tenant_id id)
{
    if (id == tenant_id{} && nobodys_)
        return *nobodys_;
    const auto [place, added] = tenants_.try_emplace(id.value);
    tenant_state& tenant = place->second;
    if (added) {
        tenant.id = id;
        if (id == tenant_id{})
            nobodys_ = &tenant; // counted in the pool's own numbers
        else
            tenant.counters = board_.others();
    } else if (tenant.tenant_hook<idle_tenant_tag>::is_linked()) {
        idle_.erase(idle_.iterator_to(tenant));
        --idle_count_;
    }
    return tenant;
}

tenant_state& tenant_table::set(tenant_id id, const tenant_options& options)
{
    tenant_state& tenant = get(id);
    tenant.options = options;
    std::shared_ptr<live_tenant> own = board_.know(id, options.weight);
    if (!tenant.known) {
        tenant.known = true;
        const auto pending = static_cast<std::ptrdiff_t>(tenant.pending + tenant.outside.size());
        const auto running = static_cast<std::ptrdiff_t>(tenant.running);
        own->add_pending(pending);
        own->add_running(running);
        if (tenant.counters) {
            tenant.counters->add_pending(-pending);
            tenant.counters->add_running(-running);
        }
        tenant.counters = std::move(own);
    }
    return tenant;
}

void tenant_table::release(tenant_state& tenant) noexcept
{
    if (tenant.operations != 0 || tenant.chunks != 0 || tenant.known || &tenant == nobodys_ ||
        tenant.tenant_hook<idle_tenant_tag>::is_linked())
        return;
    idle_.push_back(tenant);
    if (++idle_count_ > most_idle) {
        const std::uint64_t oldest = idle_.front().id.value;
        idle_.pop_front();
        --idle_count_;
        tenants_.erase(oldest);
    }
}

} // namespace twat::mp::detail
