// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_OPERATION_TASK_GATE_HPP
#define TWAT_MP_DETAIL_OPERATION_TASK_GATE_HPP

#include <atomic>
#include <cstddef>
#include <mutex>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** Lets one thread through the tasks of a chunk, one after the other, until another takes back those that were not begun.

    The thread says which task it begins, then looks whether it still may; `close` forbids it, then looks how far the thread is. Between
    the two steps each side needs a full fence. The side that is rare makes the system put one into the other thread as well (`membarrier`),
    so that beginning a task costs a twentieth of a locked instruction. Where the system does not do that, both sides have one of their own.
*/
class TWAT_MP_DECL task_gate
{
public:
    explicit task_gate(std::size_t count) noexcept : task_gate(count, has_heavy_fence()) {}
    /// @param light Whether the other side has the fence; else both pay for theirs.
    task_gate(std::size_t count, bool light) noexcept : light_(light), count_(count), limit_(count) {}

    /// The thread: begins the task at `position`, the one behind the last one that was begun (or that one again). False if it was taken
    /// back, or if there is none.
    bool begin(std::size_t position) noexcept
    {
        if (light_) {
            begun_.store(position + 1, std::memory_order_relaxed);
            std::atomic_signal_fence(std::memory_order_seq_cst); // the other half is the heavy fence in `close`
            if (position < limit_.load(std::memory_order_relaxed))
                return true;
        } else {
            begun_.exchange(position + 1, std::memory_order_seq_cst);
            if (position < limit_.load(std::memory_order_seq_cst))
                return true;
        }
        return confirm(position);
    }

    struct closed
    {
        std::size_t begun; ///< Tasks that were begun; no other ever will be.
        bool first;        ///< This call is the one that closed it.
    };

    /// Any thread: takes back all that were not begun.
    closed close() noexcept;

    /// Any thread: tasks that were begun, or one more if the thread finds just now that it may not.
    std::size_t begun() const noexcept { return begun_.load(std::memory_order_acquire); }

    /// Whether the system puts fences into other threads; some sandboxes forbid it.
    static bool has_heavy_fence() noexcept;

private:
    bool confirm(std::size_t position) noexcept;

    const bool light_;
    const std::size_t count_;
    std::atomic<std::size_t> begun_{0};
    std::atomic<std::size_t> limit_; ///< While `close` runs: 0.
    std::mutex mutex_;               ///< For `close` and those that it stops.
    bool closed_ = false;
};

} // namespace twat::mp::detail

#endif
