// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_STOP_DESK_HPP
#define TWAT_MP_SRC_WORKER_STOP_DESK_HPP

#include <cstdint>
#include <mutex>
#include <stop_token>

#include "shm/shared_page.hpp"

namespace twat::mp::detail {

/** Where the thread that runs plain tasks and the one that hears of stop requests meet.

    A request names a chunk; it reaches the stop token of the tasks that run when it is heard, if they are of this chunk, and no other.
*/
class stop_desk
{
public:
    /// Tasks of the chunk in `slot` are about to be claimed. Makes a fresh stop state for them, and keeps it until the next call.
    /// @param was_seen Whether tasks before saw the state that there is. One that nobody saw is kept: a fresh one costs 60 ns.
    const std::stop_source& begin(std::uint64_t chunk, const chunk_slot& slot, bool was_seen);
    /// No task runs.
    void end() noexcept;

    /// Looks whether the parent wants what runs to stop. Called on another thread.
    void look();

private:
    std::mutex mutex_;
    std::uint64_t chunk_ = 0;
    const chunk_slot* slot_ = nullptr;
    std::stop_source source_{std::nostopstate};
    bool heard_ = false; ///< A request for `source_` is on its way, which must not reach another chunk's tasks.
};

} // namespace twat::mp::detail

#endif
