// SPDX-License-Identifier: BSL-1.0
#include "os/launch_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "os/helper_thread.hpp"
#include "os/niceness.hpp"

namespace twat::mp::detail {

struct launch_thread::queue
{
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> waiting;
    bool over = false;

    void run()
    {
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [this] { return over || !waiting.empty(); });
            if (waiting.empty())
                return;
            auto next = std::move(waiting.front());
            waiting.pop_front();
            lock.unlock();
            next();
            next = nullptr; // what it holds may let go of the handle
            lock.lock();
        }
    }
};

launch_thread::launch_thread(int nice) : queue_(std::make_shared<queue>()), ignored_(ignored_in_workers())
{
    start_helper_thread("twat-mp:launch", [queue = queue_, nice] {
        add_niceness(nice);
        queue->run();
    });
}

launch_thread::~launch_thread()
{
    const std::lock_guard lock(queue_->mutex);
    queue_->over = true;
    queue_->changed.notify_one();
}

void launch_thread::post(std::function<void()> launch)
{
    {
        const std::lock_guard lock(queue_->mutex);
        queue_->waiting.push_back(std::move(launch));
    }
    queue_->changed.notify_one();
}

} // namespace twat::mp::detail
