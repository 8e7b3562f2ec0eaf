// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_COROUTINE_TASKS_HPP
#define TWAT_MP_SRC_WORKER_COROUTINE_TASKS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "start/coroutine_task.hpp"
#include "worker/work.hpp"

namespace twat::mp::detail {

/** The tasks of a worker that are coroutines. They run on its io_context, all in one thread. */
class coroutine_tasks
{
public:
    explicit coroutine_tasks(const work_environment& environment);
    ~coroutine_tasks();

    /// Starts the one task of a chunk, unless it was recalled. Copies what it needs of `work`.
    void start(const received_work& work);

    /// Asks a task to stop, if it still runs. Abandoned: the parent does not count it any more, so plain tasks may run beside it.
    void cancel(std::uint64_t chunk, bool abandoned);

    /// How many run, the abandoned ones apart.
    std::size_t active() const noexcept { return active_; }

    /// Frees what ended tasks have left. Not from inside a task or its cancellation.
    void bury() noexcept;

private:
    struct running;
    void run(running& task);
    void finish(running& task, const std::exception_ptr& error);

    const work_environment& environment_;
    coroutine_places places_;
    std::unordered_map<std::uint64_t, std::unique_ptr<running>> running_;
    std::vector<std::unique_ptr<running>> ended_; ///< Their coroutines may not have returned yet.
    std::size_t active_ = 0;
};

} // namespace twat::mp::detail

#endif
