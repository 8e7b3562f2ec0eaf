// SPDX-License-Identifier: BSL-1.0
#include "worker/stop_desk.hpp"

#include <system_error>
#include <thread>
#include <utility>

namespace twat::mp::detail {

const std::stop_source& stop_desk::begin(std::uint64_t chunk, const chunk_slot& slot)
{
    std::stop_source fresh;
    {
        std::lock_guard lock(mutex_);
        chunk_ = chunk;
        slot_ = &slot;
        source_.swap(fresh);
    }
    // A request that came before was looked at when nothing of the chunk ran.
    if (slot.stop.load(std::memory_order_acquire) == chunk)
        source_.request_stop();
    return source_;
}

void stop_desk::end() noexcept
{
    std::lock_guard lock(mutex_);
    chunk_ = 0;
    slot_ = nullptr;
}

void stop_desk::look()
{
    std::stop_source wanted{std::nostopstate};
    {
        std::lock_guard lock(mutex_);
        if (slot_ && slot_->stop.load(std::memory_order_acquire) == chunk_)
            wanted = source_;
    }
    if (!wanted.stop_possible() || wanted.stop_requested())
        return;
    // Callbacks of the task's own may run in this, and block: the thread that watches over the worker must not wait for them.
    try {
        std::thread([wanted]() mutable { wanted.request_stop(); }).detach();
    }
    catch (const std::system_error&) {
        wanted.request_stop();
    }
}

} // namespace twat::mp::detail
