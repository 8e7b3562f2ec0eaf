// SPDX-License-Identifier: BSL-1.0
#include "worker/stop_desk.hpp"

#include <thread>
#include <utility>

namespace twat::mp::detail {

const std::stop_source& stop_desk::begin(std::uint64_t chunk, const chunk_slot& slot, bool was_seen)
{
    // Only this thread writes these two, so it may read them without the lock.
    if (chunk_ != chunk || slot_ != &slot || was_seen || source_.stop_requested()) {
        std::stop_source before{std::nostopstate};
        std::lock_guard lock(mutex_);
        chunk_ = chunk;
        slot_ = &slot;
        if (was_seen || !source_.stop_possible() || source_.stop_requested() || heard_) {
            before.swap(source_);
            source_ = std::stop_source();
            heard_ = false;
        }
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
            wanted = source_, heard_ = true;
    }
    if (!wanted.stop_possible() || wanted.stop_requested())
        return;
    // Callbacks of the task's own may run in this, and block: the thread that watches over the worker must not wait for them.
    try {
        std::thread([wanted]() mutable { wanted.request_stop(); }).detach();
    }
    catch (...) { // no thread, or no memory for one
        wanted.request_stop();
    }
}

} // namespace twat::mp::detail
