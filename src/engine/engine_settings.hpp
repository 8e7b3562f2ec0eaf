// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_ENGINE_SETTINGS_HPP
#define TWAT_MP_SRC_ENGINE_ENGINE_SETTINGS_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>

#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/options.hpp>

#include "backend/chunk.hpp"
#include "chaos/plan.hpp"

namespace twat::mp::detail {

/// What an engine is told once: the bounds that the user chose, and whom it tells what happens.
struct engine_settings
{
    std::size_t nodes = 1;
    std::size_t min_nodes = all_nodes;
    duration idle_timeout{};
    duration start_timeout = duration::max();
    restart_limit restarts{};
    std::size_t starts_at_once = std::numeric_limits<std::size_t>::max();
    std::size_t child_concurrency = 16;
    std::size_t max_tasks_per_child = 0;
    duration max_age_per_child{};
    double recycle_jitter = 0;
    std::uint32_t seed = 1; ///< Of the jitter.
    std::size_t max_pending = 0;
    std::size_t max_pending_bytes = 0;
    overflow on_overflow = overflow::fail;
    load_shedding shed{};
    std::size_t max_message_size = std::size_t(1) << 30;
    duration cancel_grace{std::chrono::milliseconds(200)};
    bool measure_usage = false; ///< Of all operations.
    /// Says in a bill which worker it is; where that is known.
    std::function<void(worker_id, usage&)> identify{};
    std::shared_ptr<const chaos_plan> chaos{}; ///< Faults that are made on purpose; null: none.
    /// `pool_options::on_trace`, which still has to be told who the worker is (0: none).
    std::function<void(const trace_event&, worker_id)> trace{};
    /// A task failed for good; the worker that held it (0: none), where the observer has no word for it yet.
    std::function<void(const observed_failure&, worker_id)> failed{};
    /// The pool is broken: what the calls that waited got, and whether it will never be mended. And: it is whole again.
    std::function<void(const std::function<std::exception_ptr()>& cause, bool for_good)> on_broken{};
    std::function<void()> on_mended{};
    /// Called before anybody outside may learn of an outcome, as whoever learns of it may look at `stats` at once.
    std::function<void()> publish{};
};

} // namespace twat::mp::detail

#endif
