// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_LIVE_TENANT_HPP
#define TWAT_MP_SRC_ENGINE_LIVE_TENANT_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include <twat/mp/options.hpp>

#include "engine/label_board.hpp"
#include "engine/live_histogram.hpp"

namespace twat::mp::detail {

/** The counters of a tenant, or of several together: one thread at a time counts, any thread may look. */
class live_tenant
{
public:
    void add_pending(std::ptrdiff_t n) noexcept { add(pending_, n); }
    void add_running(std::ptrdiff_t n) noexcept { add(running_, n); }
    void add_done(std::size_t n) noexcept { add(done_, static_cast<std::ptrdiff_t>(n)); }
    void add_failed() noexcept { add(failed_, 1); }
    void add_refused() noexcept { add(refused_, 1); }
    void add_cpu_time(std::uint64_t nanoseconds) noexcept { saturating_count(cpu_time_, nanoseconds); }
    void add_worker_time(std::uint64_t nanoseconds) noexcept { saturating_count(worker_time_, nanoseconds); }

    live_histogram queue_wait;
    live_histogram run_time;

    tenant_stats snapshot() const
    {
        tenant_stats s;
        s.pending = pending_.load(std::memory_order_relaxed);
        s.running = running_.load(std::memory_order_relaxed);
        s.done = done_.load(std::memory_order_relaxed);
        s.failed = failed_.load(std::memory_order_relaxed);
        s.refused = refused_.load(std::memory_order_relaxed);
        s.worker_time = duration(static_cast<duration::rep>(worker_time_.load(std::memory_order_relaxed)));
        s.cpu_time = duration(static_cast<duration::rep>(cpu_time_.load(std::memory_order_relaxed)));
        s.queue_wait = queue_wait.snapshot();
        s.run_time = run_time.snapshot();
        return s;
    }

private:
    static void add(std::atomic<std::size_t>& to, std::ptrdiff_t n) noexcept
    {
        to.store(to.load(std::memory_order_relaxed) + static_cast<std::size_t>(n), std::memory_order_relaxed);
    }

    std::atomic<std::size_t> pending_{0}, running_{0}, done_{0}, failed_{0}, refused_{0};
    std::atomic<std::uint64_t> worker_time_{0}, cpu_time_{0};
};

/** Where the counters of all tenants are found: of each that was made known, and of the others together. For any thread. */
class tenant_board
{
public:
    /// Those of a tenant that is known from now on.
    std::shared_ptr<live_tenant> know(tenant_id id, std::size_t weight)
    {
        std::lock_guard lock(mutex_);
        entry& known = known_[id];
        known.weight = weight;
        if (!known.counters)
            known.counters = std::make_shared<live_tenant>();
        return known.counters;
    }

    const std::shared_ptr<live_tenant>& others() const noexcept { return others_; }

    void add_to(pool_stats& stats) const
    {
        std::lock_guard lock(mutex_);
        stats.tenants.reserve(known_.size());
        for (const auto& [id, known] : known_) {
            tenant_stats& added = stats.tenants.emplace_back(known.counters->snapshot());
            added.id = id;
            added.weight = known.weight;
        }
        stats.other_tenants = others_->snapshot();
    }

private:
    struct entry
    {
        std::size_t weight = 1;
        std::shared_ptr<live_tenant> counters;
    };

    mutable std::mutex mutex_;
    std::map<tenant_id, entry> known_;
    const std::shared_ptr<live_tenant> others_ = std::make_shared<live_tenant>();
};

/// What an engine measures.
struct timings
{
    live_histogram queue_wait;
    live_histogram run_time;
    tenant_board tenants;
    label_board labels;
};

} // namespace twat::mp::detail

#endif
