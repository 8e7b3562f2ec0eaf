// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_THREAD_THREAD_WORKER_HPP
#define TWAT_MP_SRC_THREAD_THREAD_WORKER_HPP

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <twat/mp/pool_dump.hpp>

#include "start/coroutine_task.hpp"
#include "thread/thread_chunk.hpp"
#include "thread/worker_scope.hpp"

namespace twat::mp::detail {

/// What a worker thread has to tell the strand about one chunk.
struct chunk_report
{
    std::shared_ptr<thread_chunk> held{};
    std::size_t begin = 0;               ///< Tasks from here
    std::size_t end = 0;                 ///<   to here, exclusive, have finished,
    std::vector<failed_task> failures{}; ///<   these of them with an exception.
    ///   and what each of them used, if they are measured.
    std::vector<task_usage> used{};
    bool ended = false;
    duration busy{};
};

/** One thread's place in a pool: an io_context of its own, on which chunks run in the order of their submission.

    Driven by the thread that calls `serve` (a worker thread, until it is told to finish) or `serve_until` (a guest: a thread
    that runs a task of the same pool and would otherwise block). Other members are for the strand, or, where said, for
    any thread. A task's result is told through `report`, at the latest a millisecond after it was there and the task behind
    it has ended; up to three more where tasks were as short as a few microseconds and suddenly are not.
*/
class thread_worker
{
public:
    using report_function = std::function<void(chunk_report)>;

    /// @param report Called in the worker's thread.
    thread_worker(std::size_t index, const void* pool, duration cancel_grace, report_function report);
    ~thread_worker();

    std::size_t index() const noexcept { return index_; }

    void submit(const chunk& work);
    /// The chunk that `recall` ended is let go of; its end is for the caller to report.
    thread_chunk::recalled recall(chunk_id id);
    void cancel(chunk_id id);
    std::optional<backend::running_task> running(chunk_id id) const;
    std::optional<backend::chunk_times> times(chunk_id id) const;
    void take_reports(const std::function<void(task_report&&)>& f) { reports_.take(board_, f); }
    void abandon(chunk_id id);
    /// Forgets a chunk whose end was reported.
    void forget(chunk_id id);

    /// Any thread: behind the chunks that it has, the thread leaves `serve`.
    void finish();
    /// Any thread: takes back what was not begun, asks what runs to stop, then as `finish`. Nothing is reported any more for chunks
    /// that were not begun.
    void quit() noexcept;
    /// Any thread: `serve_until` looks at its condition again.
    void wake();

    /// Makes `this_worker` and `this_task` answer for this worker in the calling thread, as long as the result lives. Goes around
    /// every call of the three members below.
    worker_scope enter(std::size_t index) { return worker_scope(index, loop_->get_executor(), pool_, &board_); }
    /// Runs chunks until `finish` or `quit`. Then nothing runs on the context any more until `close`.
    void serve();
    /// The same until `stop()`, looked at before and after each thing that is run.
    void serve_until(const std::function<bool()>& stop);
    /// The thread that served: cancels coroutine tasks, gives them `cancel_grace` to end, and destroys the context.
    void close();
    /// Any thread: the tasks that it has begun, and what its thread does, if it is busy.
    std::optional<dumped_worker> dump() const;
    /// Any thread: whether `quit` was called.
    bool quitting() const noexcept { return quit_; }

private:
    thread_chunk* find(chunk_id id) const noexcept;
    template <class F>
    void post(F&& f);
    void run(std::shared_ptr<thread_chunk> held);
    void run_coroutine(std::shared_ptr<thread_chunk> held);
    asio::awaitable<void> run_task(std::shared_ptr<thread_chunk> held, coroutine_task& task);
    void cancel_coroutine(chunk_id id);
    void run_one();

    report_board board_{};    // the thread writes
    report_reader reports_;   // the strand reads
    coroutine_places places_; // outlives the context
    const std::size_t index_;
    const void* const pool_;
    const duration cancel_grace_;
    const report_function report_;

    mutable std::mutex mutex_; // for the two below; `held_` changes on the strand only, which looks at it without it
    std::unique_ptr<asio::io_context> context_;
    std::vector<std::shared_ptr<thread_chunk>> held_; // few: as many as a worker may be given

    std::atomic<bool> quit_ = false;
    std::atomic<std::uint64_t> on_cpu_ = 0; ///< The chunk of the coroutine that the loop runs; 0: of none.
    std::atomic<int> thread_ = 0;           ///< The one that serves; 0: none does.

    // Of the thread that serves:
    asio::io_context* const loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    bool finished_ = false;
    struct coroutine
    {
        asio::cancellation_signal signal;
        coroutine_task* task = nullptr;
    };
    std::map<chunk_id, coroutine> coroutines_;
};

} // namespace twat::mp::detail

#endif
