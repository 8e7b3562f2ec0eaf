// SPDX-License-Identifier: BSL-1.0
// The part of a worker thread that tells what it does.
#include "thread/thread_worker.hpp"

#include <unistd.h>

#include <optional>
#include <utility>

#include "observe/thread_trace.hpp"

namespace twat::mp::detail {

std::optional<dumped_worker> thread_worker::dump() const
{
    const int thread = thread_;
    if (thread == 0)
        return std::nullopt;
    dumped_worker dumped{.index = index_, .pid = static_cast<int>(::getpid()), .thread = thread};
    {
        std::lock_guard lock(mutex_);
        for (const auto& held : held_) {
            const std::optional<backend::chunk_times> times = held->times();
            if (held->abandoned || !times || times->until)
                continue;
            dumped_task task = held->dump(*times);
            task.suspended = held->coroutine && on_cpu_ != held->id;
            dumped.tasks.push_back(std::move(task));
        }
    }
    if (dumped.tasks.empty())
        return std::nullopt;
    dumped.stack = stack_of_thread(thread);
    return dumped;
}

} // namespace twat::mp::detail
