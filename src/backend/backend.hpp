// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_BACKEND_BACKEND_HPP
#define TWAT_MP_SRC_BACKEND_BACKEND_HPP

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twat/mp/detail/operation/task_report.hpp>
#include <twat/mp/options.hpp>
#include <twat/mp/parcel.hpp>
#include <twat/mp/stacktrace.hpp>
#include <twat/mp/detail/operation/exit_results.hpp>

#include "backend/capabilities.hpp"
#include "backend/chunk.hpp"
#include "usage/task_meter.hpp"

namespace twat::mp::detail {

/// How a worker is to end.
enum class end_mode {
    in_order, ///< It holds no chunk: its finalizer runs. One that is not ready is ended as by `now`, if it can be.
    now,      ///< SIGTERM, then SIGKILL. A thread ends when it can.
    /// It was not ready in time: as by `now`, and it is reported lost. A thread goes on, and is reported `stuck`.
    late,
};

/** What the engine asks of the workers. Nothing here waits or calls back into the engine.

    For each submitted chunk the backend later reports, through `backend_events`, each task's outcome once and then
    `chunk_ended`, or that the worker is gone.
*/
class backend
{
public:
    virtual ~backend() = default;

    /// What these workers can do. The same in every call.
    virtual const capabilities& can() const noexcept = 0;

    /// Gives a chunk to a worker, behind those that it already holds.
    virtual void submit(worker_id worker, const chunk& work) = 0;

    /// Where large arguments of a chunk for this worker may be encoded, so that they need not be copied; null if it makes no difference.
    virtual std::shared_ptr<buffer_memory> memory(worker_id) const { return nullptr; }

    /// Takes back the tasks of a chunk that the worker has not begun. Returns how many it keeps, counted from the first
    /// one; the worker will never begin the others. Nothing: it has to be asked, and `recalled` follows, unless it goes away first. `chunk_ended`
    /// still follows behind that, also when it keeps none. Asked for once a chunk.
    virtual std::optional<std::size_t> recall(worker_id worker, chunk_id id) = 0;

    /// Asks the running tasks of a chunk to stop: their stop token, or Asio's cancellation for coroutines.
    virtual void cancel(worker_id worker, chunk_id id) = 0;

    /// When the running task of a chunk began, and its position in the chunk. Nothing if none runs, or the worker does not stamp
    /// (only chunks with a timeout are stamped). Workers that keep to `chunk::timeout` by themselves tell nothing.
    struct running_task
    {
        std::size_t position;
        time_point begun;
    };
    virtual std::optional<running_task> running(worker_id, chunk_id) const { return std::nullopt; }

    /// When a worker came to a chunk that it holds, and when it had the last outcome of it that was told so far, both by its own look at
    /// the clock. Nothing if it has not begun, or does not tell.
    struct chunk_times
    {
        time_point since;
        std::optional<time_point> until;
    };
    virtual std::optional<chunk_times> times(worker_id, chunk_id) const { return std::nullopt; }

    /// What a worker does in the running task of a chunk, on its way: waits for nothing. Empty if the task does not run, or nobody can say.
    virtual stacktrace ask_for_stack(worker_id, chunk_id) { return {}; }

    /// Calls `f` with what tasks of the worker have reported since the last time, each task's latest.
    virtual void take_reports(worker_id, const std::function<void(task_report&&)>&) {}

    /// The call of a task that runs, to be run again, if that is kept of tasks that time out.
    virtual parcel parcel_of(worker_id, chunk_id, std::size_t /*position*/) { return {}; }

    /// A coroutine task ignores its cancellation. Nobody waits for its outcome; the worker is killed only if its loop no longer
    /// answers. The chunk counts as ended.
    virtual void abandon(worker_id worker, chunk_id id) = 0;

    /// Starts a worker for a node; never called for workers that come by themselves. `worker_started` and `worker_ready` follow, or `worker_gone`. A number is used once; several workers may
    /// have one node.
    virtual void launch(worker_id worker, std::size_t node) = 0;

    /// Ends a worker, which `worker_gone` follows. After a death its socket and page are drained: outcomes that it had published are
    /// reported, then `worker_gone` with what it had begun. If it cannot be ended it is given up and reported gone all the same.
    virtual void end(worker_id worker, end_mode how) = 0;

    /// How long a worker that starts has been on a CPU or ready to be; nothing: it does not sleep, or that is not known.
    virtual std::optional<duration> start_time_used(worker_id) const { return std::nullopt; }

    /// Reports what workers have sent by now. `decide` does not follow. For a caller that may be late itself and is about to judge them.
    virtual void catch_up() {}
};

/// What a worker left behind when it went away.
struct worker_loss
{
    /// A task that it had begun and not finished.
    struct begun_task
    {
        chunk_id id;
        std::size_t position;
        bool culprit = true; ///< Otherwise a coroutine that was suspended.
    };
    std::vector<begun_task> begun;
    /// The chunks that it had come to, and when.
    struct begun_chunk
    {
        chunk_id id;
        time_point since;
    };
    std::vector<begun_chunk> chunks{};
    /// A fresh exception that says why the worker is gone, for the task with this index.
    std::function<std::exception_ptr(std::uint64_t index)> explain;
    /// The same for a task that is no culprit; empty: `explain` will do.
    std::function<std::exception_ptr(std::uint64_t index)> explain_to_bystander;
    bool expected = false; ///< The engine asked for it, or it ended in order.
    /// It had begun a task, or was ended because of one: that task's fault.
    bool in_task = false;

    // Of a worker that was never ready:
    bool initializer_threw = false;
    bool no_room = false;     ///< The system lacked memory, processes or descriptors for it.
    bool stuck = false;       ///< A thread that goes on with its initializer, and may be ready yet: it is not gone.
    bool fails_again = false; ///< Another start now would fail in the same way.
    bool for_good = false;    ///< And so would every later one.
    bool nobody_left = false; ///< No worker of any node can start now: as long as none is ready, the pool is broken.
    /// As long as no worker was ever ready, `cause` tells more than how many have failed.
    bool cause_tells_all = false;
    /// A fresh exception that says why it is gone; empty if it ended as it was asked to.
    std::function<std::exception_ptr()> cause{};
};

/// Who took a chunk.
struct chunk_taker
{
    std::shared_ptr<const std::string> host; ///< Not null.
    std::size_t lane =
        0; ///< Which of the host's workers, as far as anybody can tell; of chunks at one time, each another.
};

/** What the workers tell the engine, on the pool's strand. */
class backend_events
{
public:
    /// A worker runs, and its time to get ready counts from now on.
    virtual void worker_started(worker_id) {}
    /// A worker takes tasks from now on. Also one that was not launched and comes by itself: its number is the backend's, and below 2^63.
    virtual void worker_ready(worker_id worker) = 0;
    /// A worker has grown beyond what it may have of the memory.
    virtual void worker_grew(worker_id) {}
    /// What the finalizer of a worker returned that ends in order. `worker_gone` follows.
    virtual void worker_returned(worker_id, exit_value) {}
    /// A worker is gone, by itself or because it was to end. All outcomes that it had published were reported before.
    virtual void worker_gone(worker_id worker, const worker_loss& loss) = 0;
    /// What a task used, of a chunk that is measured; before its outcome.
    virtual void task_used(worker_id, chunk_id, std::size_t /*position*/, const task_usage&) {}
    /// A task finished with a value (`value` or `tasks` set, see `finished_task`) ...
    virtual void task_finished(worker_id worker, chunk_id id, std::size_t position, decoder* value) = 0;
    /// The same for several tasks of a chunk, from `position` on; `values` is null for threads.
    virtual void tasks_finished(worker_id worker, chunk_id id, std::size_t position, std::size_t count,
                                const encoded_values* values)
    {
        for (std::size_t i = 0; i < count; ++i)
            if (values) {
                decoder in((*values)[i]);
                task_finished(worker, id, position + i, &in);
            } else {
                task_finished(worker, id, position + i, nullptr);
            }
    }
    /// The same for one whose value was decoded already, from `size` bytes; only of operations that decode apart.
    virtual void task_decoded(worker_id, chunk_id, std::size_t /*position*/, decoded_result& /*value*/,
                              std::size_t /*size*/)
    {}
    /// ... or with an exception, whose index is already attached.
    virtual void task_failed(worker_id worker, chunk_id id, std::size_t position, std::exception_ptr error) = 0;
    /// The worker goes on, but this chunk was lost on the way: as by `worker_gone`, for this chunk alone. Workers on other hosts stand for
    /// whichever host took their chunks.
    virtual void chunk_lost(worker_id, chunk_id, const worker_loss&) {}
    /// There are so many places for workers from now on, as by `resize`. Of backends whose workers are not the pool's to start.
    virtual void nodes_changed(std::size_t) {}
    /// With `capabilities::hosts`: a host has taken a chunk, which begins now. Once a chunk at most.
    virtual void chunk_taken(worker_id, chunk_id, const chunk_taker&) {}
    /// With `capabilities::hosts`: which there are from now on, by name.
    virtual void hosts_changed(std::vector<host_stats>) {}
    /// What a worker keeps of a chunk that was recalled, if `recall` could not say so at once.
    virtual void recalled(worker_id, chunk_id, std::size_t /*kept*/) {}
    /// The worker is done with a chunk, and was busy with it for so long.
    virtual void chunk_ended(worker_id worker, chunk_id id, duration busy) = 0;
    /// Nobody can say when there will be a worker. Operations that were initiated before `before`, and all who wait for workers to be ready, get a
    /// fresh exception that says why; later ones wait until it is said again, or there is a worker.
    virtual void unusable(const std::function<std::exception_ptr()>& /*cause*/, time_point /*before*/) {}
    /// Ends a batch of the calls above: decide what is next.
    virtual void decide() = 0;

protected:
    ~backend_events() = default;
};

} // namespace twat::mp::detail

#endif
