// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_TENANTS_HPP
#define TWAT_MP_SRC_ENGINE_TENANTS_HPP

#include <boost/intrusive/list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include <twat/mp/options.hpp>

#include "engine/fair_queue.hpp"
#include "engine/live_tenant.hpp"
#include "engine/run_queue.hpp"

namespace twat::mp::detail {

struct operation_state;

struct idle_tenant_tag;
struct roomy_tenant_tag;
template <class Tag>
using tenant_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

struct tenant_state;
using hooked_tenants = boost::intrusive::list<tenant_state, boost::intrusive::base_hook<tenant_hook<roomy_tenant_tag>>,
                                              boost::intrusive::constant_time_size<false>>;

/// A tenant, as long as there is something of it, and some time longer.
struct tenant_state : tenant_hook<idle_tenant_tag>, tenant_hook<roomy_tenant_tag>
{
    tenant_id id{};
    tenant_options options{};
    bool known = false;         // by `set_tenant`
    std::array<lane, 3> lanes;  // what waits for its turn, by priority
    std::size_t operations = 0; // that are not over
    std::size_t chunks = 0;     // that workers hold, also where nobody waits for them
    std::size_t pending = 0;    // operations none of whose tasks has begun, those that wait for room not among them
    std::size_t running = 0;    // chunks in which a task may run
    double per_task = -1;       // nanoseconds that a task takes, a moving average; negative: not known
    run_queue<operation_state> outside;    // operations that wait until fewer of its own do
    std::shared_ptr<live_tenant> counters; // null: nobody counts

    lane& at(priority prio) noexcept { return lanes[static_cast<std::size_t>(prio)]; }
    bool at_bound() const noexcept { return options.max_running != 0 && running >= options.max_running; }
};

/** Who is who among tenants.

    Tenants may be without end, clients' addresses for example, so one that nobody made known is kept only while there is something of it, and
    some of them for a while longer, as they may owe worker time. What is counted of those is counted together.
*/
class tenant_table
{
public:
    /// @param board Outlives the table.
    explicit tenant_table(tenant_board& board) noexcept : board_(board) {}

    /// Stays at its address until it was let go by `release`.
    tenant_state& get(tenant_id id);
    /// Known from now on.
    tenant_state& set(tenant_id id, const tenant_options& options);
    /// There may be nothing of it any more.
    void release(tenant_state& tenant) noexcept;

    std::size_t size() const noexcept { return tenants_.size(); }

    /// Tenants of which nothing is there that are kept for a while.
    static constexpr std::size_t most_idle = 1024;

private:
    /// Mixed, as who makes up addresses could make up some that a plain table finds slowly.
    struct hash
    {
        std::size_t operator()(std::uint64_t value) const noexcept;
        std::uint64_t seed;
        hash();
    };

    tenant_board& board_;
    std::unordered_map<std::uint64_t, tenant_state, hash> tenants_;
    tenant_state* nobodys_ = nullptr; // what has no tenant, which is nearly everything in most programs
    boost::intrusive::list<tenant_state, boost::intrusive::base_hook<tenant_hook<idle_tenant_tag>>,
                           boost::intrusive::constant_time_size<false>>
        idle_; // the one that has been for longest first
    std::size_t idle_count_ = 0;
};

} // namespace twat::mp::detail

#endif
