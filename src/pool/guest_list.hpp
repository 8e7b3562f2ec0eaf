// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_GUEST_LIST_HPP
#define TWAT_MP_SRC_POOL_GUEST_LIST_HPP

#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/chunk.hpp"

namespace twat::mp::detail {

/** Threads that block inside a task, by the operation that each waits for, and those of them that are about to leave. */
class guest_list
{
public:
    // Any thread.
    void add(const operation& awaited, worker_id guest)
    {
        std::lock_guard lock(mutex_);
        waiting_.emplace(&awaited, guest);
    }
    void remove(const operation& awaited, worker_id guest)
    {
        std::lock_guard lock(mutex_);
        const auto [begin, end] = waiting_.equal_range(&awaited);
        for (auto it = begin; it != end; ++it)
            if (it->second == guest) {
                waiting_.erase(it);
                break;
            }
    }
    /// Calls `f` with each guest that waits for the operation. None is removed meanwhile.
    template <class F>
    void for_each(const operation& awaited, F&& f)
    {
        std::lock_guard lock(mutex_);
        const auto [begin, end] = waiting_.equal_range(&awaited);
        for (auto it = begin; it != end; ++it)
            f(it->second);
    }

    // On the strand.
    /// Its thread has gone on; the engine may still have to let go of it.
    void leave(worker_id guest) { leaving_.push_back(guest); }
    /// @param gone Returns whether the guest is gone now; else it is asked for again next time.
    template <class F>
    void let_go(F&& gone)
    {
        std::erase_if(leaving_, std::forward<F>(gone));
    }

private:
    std::mutex mutex_;
    std::unordered_multimap<const operation*, worker_id> waiting_;
    std::vector<worker_id> leaving_;
};

} // namespace twat::mp::detail

#endif
