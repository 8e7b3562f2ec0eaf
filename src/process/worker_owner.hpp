// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_OWNER_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_OWNER_HPP

#include <twat/mp/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "backend/worker_set.hpp"
#include "process/parcels.hpp"

namespace twat::mp::detail {

class launch_thread;
class worker_process;
struct worker_end;

/// What is the same for all workers of a pool.
struct worker_settings
{
    std::size_t nodes = 0;
    std::size_t child_concurrency = 0;
    std::size_t max_message_size = 0;
    std::size_t max_rss = 0;    ///< Resident bytes beyond which a worker is reported as grown; 0: none.
    std::size_t max_memory = 0; ///< `pool_options::max_memory_per_child`.
    std::size_t cpus = 1;       ///< Each worker's share.
    double recycle_jitter = 0;
    error_output child_stderr = error_output::inherit;
    duration start_timeout{}, stop_grace{}, cancel_grace{}, spin{};
    std::filesystem::path executable;
    std::shared_ptr<launch_thread> launcher;      ///< Made by the thread that made the pool.
    attached_bytes initializer, state, finalizer; ///< Encoded; empty: none.
    std::shared_ptr<const parcel_maker> parcels;
    /// The strand is on a loop that others use: see `strand_link::beside_a_loop`.
    bool beside_loop = false;
    bool debug = false; ///< Say on stderr what the workers do.
    chaos_plan chaos;   ///< Faults that are made on purpose.

    /// The longest frame, and the largest value, that a worker may send.
    std::uint64_t longest_frame() const noexcept
    {
        constexpr std::uint64_t beside = 64 * 1024;
        return std::max<std::uint64_t>(max_message_size, std::uint64_t(1) << 20) + beside;
    }
};

/// Which worker it is.
struct worker_identity
{
    worker_id id = 0;
    std::size_t node = 0;
    int pid = 0; ///< 0: it was not launched yet.

    std::string name() const { return "worker " + std::to_string(node) + " (pid " + std::to_string(pid) + ")"; }
};

/** What a worker process asks of the pool's workers, and tells them. */
class worker_owner
{
public:
    virtual const worker_settings& settings() const noexcept = 0;
    virtual const pool_strand& strand() const noexcept = 0;
    virtual const std::shared_ptr<strand_link>& link() const noexcept = 0;
    virtual backend_events& events() noexcept = 0;
    /// Whether anything may be armed on the context.
    virtual bool active() const noexcept = 0;

    /// Brackets what comes from outside. At the end the engine decides and what is queued is sent.
    virtual void begin_batch(worker_process& worker) = 0;
    virtual void end_batch() = 0;
    virtual bool in_batch() const noexcept = 0;
    /// When a turn that takes something now has to be over, for others on the loop to get theirs. Then: `read_later`.
    virtual time_point turn_until() noexcept = 0;
    /// Calls `read_on` of the worker in a later turn.
    virtual void read_later(worker_process& worker) = 0;
    /// Whether all workers end: somebody waits for that.
    virtual bool ending() const noexcept = 0;

    virtual void worker_launched(worker_process& worker) = 0;
    virtual void worker_is_ready(worker_process& worker) = 0;
    /// The last call of a worker.
    virtual void worker_is_gone(worker_process& worker, const worker_end& end) = 0;

protected:
    ~worker_owner() = default;
};

} // namespace twat::mp::detail

#endif
