// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_STATE_HPP
#define TWAT_MP_SRC_ENGINE_STATE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "backend/chunk.hpp"
#include "engine/chunker.hpp"

namespace twat::mp::detail {

inline constexpr std::size_t no_position = std::numeric_limits<std::size_t>::max();

/// What the engine knows of an operation that is not over.
struct operation_state
{
    std::shared_ptr<operation> op;
    std::uint64_t id = 0;
    chunker sizes{{}};
    std::shared_ptr<const byte_buffer> function; // processes: encoded once, before the first pull
    bool prepared = false;                       // encode_function was called

    time_point initiated{};
    time_point deadline = time_point::max();

    std::uint64_t next_index = 0;                // of the next element of the range
    std::list<std::shared_ptr<chunk>> requeued;  // taken back from workers, or left behind by dead ones; goes first. (An empty
                                                 // deque would cost each operation two allocations.)
    std::size_t held_tasks = 0;                  // workers hold them and their outcome is wanted
    std::size_t held_chunks = 0;                 // chunks whose owner this is

    std::size_t done = 0;
    std::size_t failed = 0;
    trace_outcome worst = trace_outcome::done; // of its tasks
    bool begun = false;     // a worker has begun one of its tasks
    bool exhausted = false; // the range has ended
    bool stopping = false;  // nothing more is handed out
    bool unbounded = false; // a stream whose pool is being joined: nobody waits for its reader any more
    bool waiting = false;   // stands in the line of its priority
    bool touched = false;   // outcomes arrived since the last decision
    bool outside = false;   // waits for room: counts for no bound, and gets no turn
    bool yielded = false;   // has stepped back for another of its priority, and none of its tasks has had an outcome since
    std::size_t waiting_bytes = 0; // of its arguments, until a task begins
    worker_id drains = 0;   // the worker that runs empty so that this operation's kind of task can run on it

    std::exception_ptr first_error; // of the failed task with the lowest index
    std::uint64_t first_error_index = 0;
    std::exception_ptr final_error; // cancelled, deadline, range or callback threw: wins over first_error

    const operation_traits& traits() const noexcept { return op->traits(); }
    std::size_t outcomes() const noexcept { return done + failed; }
};

/// A chunk that a worker holds.
struct given_chunk
{
    std::shared_ptr<chunk> work;
    operation_state* owner = nullptr;   // null: nobody waits for its tasks any more
    std::size_t settled = 0;            // tasks whose outcome arrived, from the first one on
    std::size_t keep = 0;               // tasks that the worker was left with; the others were taken back
    std::vector<std::size_t> expired;   // tasks that ran out of time; they had their answer, what comes is dropped
    std::size_t timed_out = no_position; // threads: the same, but its outcome is waited for
    std::size_t failed = 0;             // tasks whose outcome is an error
    trace_outcome worst = trace_outcome::done;
    bool begun = false;                 // the worker has come to it
    bool over = false;                  // its end was told and measured
    time_point since{};                 // when it did
    bool all_begun = false;             // what is left of it was begun: nothing can be taken back
    bool cancelled = false;             // its running tasks were asked to stop
    time_point check_at = time_point::max(); // when to look whether the running task has run out of time
    time_point kill_at = time_point::max();  // when the worker is killed, or the coroutine abandoned

    std::size_t outstanding() const noexcept { return keep - settled; }
    bool is_expired(std::size_t position) const noexcept
    {
        return std::find(expired.begin(), expired.end(), position) != expired.end();
    }
};

/// A worker that is ready, or on its way out.
struct ready_worker
{
    worker_id id = 0;
    std::uint64_t order = 0;          // in which the workers came
    bool candidate = false;           // stands among the candidates
    std::deque<given_chunk> held;      // the first one runs; all, if they are coroutines
    bool dying = false;               // was killed, and is not gone yet
    bool recycling = false;           // its successor was asked for
    bool retiring = false;            // its successor is ready: it gets no more, and leaves when it is idle
    std::size_t given = 0;            // tasks that it was given in its life
    std::size_t share = no_position;  // tasks after which its successor is asked for
    time_point leaves_at = time_point::max(); // and when, at the latest
    operation_state* only = nullptr;  // a guest: runs tasks of this operation only
    bool guest = false;
    std::uint64_t drains_for = 0;     // the id of the operation that waits for it to run empty

    bool runs_coroutines() const noexcept { return !held.empty() && held.front().work->coroutine; }

    /// A plain task that nobody waits for still runs in it.
    bool dirty() const noexcept
    {
        for (const given_chunk& h : held)
            if (h.cancelled && !h.work->coroutine)
                return true;
        return false;
    }
};

} // namespace twat::mp::detail

#endif
