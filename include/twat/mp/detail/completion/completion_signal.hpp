// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_DETAIL_COMPLETION_COMPLETION_SIGNAL_HPP
#define TWAT_MP_DETAIL_COMPLETION_COMPLETION_SIGNAL_HPP

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include <twat/mp/config.hpp>

namespace twat::mp::detail {

/** Which of several futures became ready, in the order in which they did. */
class completion_queue
{
public:
    void push(std::size_t index) noexcept
    {
        std::lock_guard lock(mutex_);
        ready_.push_back(index);
        changed_.notify_one();
    }

    std::size_t pop()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !ready_.empty(); });
        const std::size_t index = ready_.front();
        ready_.pop_front();
        return index;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::size_t> ready_;
};

/** Tells a queue that a future is ready; also when it asks too late. */
class completion_signal
{
public:
    void raise() noexcept
    {
        std::shared_ptr<completion_queue> queue;
        {
            std::lock_guard lock(mutex_);
            raised_ = true;
            queue = std::move(queue_);
        }
        if (queue)
            queue->push(index_);
    }

    /// The last queue that asks is the one that is notified.
    void subscribe(const std::shared_ptr<completion_queue>& queue, std::size_t index)
    {
        {
            std::lock_guard lock(mutex_);
            if (!raised_) {
                queue_ = queue;
                index_ = index;
                return;
            }
        }
        queue->push(index);
    }

private:
    std::mutex mutex_;
    bool raised_ = false;
    std::shared_ptr<completion_queue> queue_;
    std::size_t index_ = 0;
};

} // namespace twat::mp::detail

#endif
