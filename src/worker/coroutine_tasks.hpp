// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_WORKER_COROUTINE_TASKS_HPP
#define TWAT_MP_SRC_WORKER_COROUTINE_TASKS_HPP

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <unordered_map>
#include <vector>

#include "start/coroutine_task.hpp"
#include "worker/work.hpp"

namespace twat::mp::detail {

/** The tasks of a worker that are coroutines. They run on its io_context, all in one thread.

    A task begins when it is first resumed, not when it arrives, and its outcome is there for the parent in the turn of the loop in which
    it ends: a neighbour may keep the loop from running in between, or end the process.
*/
class coroutine_tasks
{
public:
    explicit coroutine_tasks(const work_environment& environment);
    ~coroutine_tasks();

    /// Takes the one task of a chunk, which begins in a later turn of the loop, unless it is recalled by then. Copies what it needs of `work`.
    void start(const received_work& work);

    /// Asks a task to stop, if it still runs. Abandoned: the parent does not count it any more, so plain tasks may run beside it.
    void cancel(std::uint64_t chunk, bool abandoned);

    /// How many there are, begun or not, the abandoned ones apart.
    std::size_t active() const noexcept { return active_; }

    /// Frees what ended tasks have left. Not from inside a task or its cancellation.
    void bury() noexcept;

private:
    struct running;
    asio::awaitable<void> run(running& task);
    bool begin(running& task);
    void finish(running& task, const std::exception_ptr& error);
    void leave(running& task);

    const work_environment& environment_;
    coroutine_places places_;
    std::unordered_map<std::uint64_t, std::unique_ptr<running>> running_;
    std::vector<std::unique_ptr<running>> ended_; ///< Their coroutines may not have returned yet.
    std::size_t active_ = 0;
};

} // namespace twat::mp::detail

#endif
