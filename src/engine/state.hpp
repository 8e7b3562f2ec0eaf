// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_STATE_HPP
#define TWAT_MP_SRC_ENGINE_STATE_HPP

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "backend/chunk.hpp"
#include "engine/chunker.hpp"
#include "engine/hedge_plan.hpp"
#include "engine/ledger.hpp"
#include "engine/run_queue.hpp"
#include "engine/takers.hpp"
#include "engine/tenants.hpp"
#include "engine/watch.hpp"

namespace twat::mp::detail {

inline constexpr std::size_t no_position = std::numeric_limits<std::size_t>::max();

class operation_table;
struct operation_state;
struct ready_worker;

// Places in lists of the engine, which are left by destruction at the latest. The links are in the elements (Boost.Intrusive), so that what
// is over leaves each of them at once, however many others are there.
template <class Tag>
using list_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                                   boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
template <class T, class Tag>
using hooked_list =
    boost::intrusive::list<T, boost::intrusive::base_hook<list_hook<Tag>>, boost::intrusive::constant_time_size<false>>;

struct known_tag;       ///< All operations that are not over.
struct outstanding_tag; ///< All operations, in the order of their initiation.
struct touched_tag;     ///< Operations to be looked at.
/// Operations of which no task has begun, or those that have begun and have many; in either, in order.
struct unbegun_tag;
struct owned_tag;      ///< The chunks of one operation that workers hold.
struct late_tag;       ///< Those of them whose running task waits for a second run.
struct considered_tag; ///< Workers to which something has happened.

/// One of those that a count counts, until it is cleared or destroyed.
class counted
{
public:
    counted() = default;
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { clear(); }

    void count(std::size_t& in) noexcept
    {
        clear();
        in_ = &in;
        ++in;
    }
    /// Whether it was counted.
    bool clear() noexcept
    {
        if (!in_)
            return false;
        --*std::exchange(in_, nullptr);
        return true;
    }

private:
    std::size_t* in_ = nullptr;
};

/// A chunk that a worker holds. Stays at one address.
struct given_chunk : list_hook<owned_tag>, list_hook<late_tag>
{
    explicit given_chunk(ready_worker& holder) noexcept : holder(&holder) {}

    ready_worker* const holder;
    std::shared_ptr<chunk> work;
    operation_state* owner = nullptr;    // null: nobody waits for its tasks any more
    tenant_state* payer = nullptr;       // whom its worker time is charged to; null: that was settled
    priority prio = priority::normal;    // in this lane
    double charged = 0;                  // nanoseconds, so far
    bool running = false;                // one of the payer's that run
    std::size_t settled = 0;             // tasks whose outcome arrived, from the first one on
    std::size_t keep = 0;                // tasks that the worker was left with; the others were taken back
    std::vector<std::size_t> expired;    // tasks that ran out of time; they had their answer, what comes is dropped
    std::size_t timed_out = no_position; // threads: the same, but its outcome is waited for
    std::size_t failed = 0;              // tasks whose outcome is an error
    trace_outcome worst = trace_outcome::done;
    bool begun = false;              // the worker has come to it
    bool over = false;               // its end was told and measured
    time_point since{};              // when it did, as far as is known
    chunk_taker taker;               // of several hosts; none: it waits for one
    std::optional<time_point> opens; // its first task is the first of its operation, which was initiated then
    bool in_place = false;           // one of its owner's `places`
    // its owner had more in workers than the task that runs, when it was handed out
    bool is_part = false;
    bool all_begun = false;            // what is left of it was begun: nothing can be taken back
    bool recalling = false;            // the worker was asked for what it has not begun, and has not answered
    counted awaited;                   // it was asked for an idle worker
    bool cancelled = false;            // its running tasks were asked to stop
    bool doomed = false;               // none of its tasks may go on beyond `kill`, whichever runs then
    bool looked_twice = false;         // at `kill`, since the loop was late
    watched<given_chunk> check{*this}; // when to look whether the running task has run out of time
    watched<given_chunk> kill{*this};  // when the worker is killed, or the coroutine abandoned
    watched<given_chunk> hedge{*this}; // when to look whether the running task shall have a second run
    std::size_t late_at = 0;           // the position of the task that shall have one, or has
    given_chunk* twin = nullptr;       // in which the same task has its other run
    std::size_t beaten = no_position;  // threads: its task has its outcome of its twin, but its return is waited for

    std::size_t outstanding() const noexcept { return keep - settled; }
    bool is_expired(std::size_t position) const noexcept
    {
        return std::find(expired.begin(), expired.end(), position) != expired.end();
    }
};

/// A task that threw and waits for its next attempt. Stays at one address.
struct delayed_chunk
{
    delayed_chunk(operation_state& op, std::shared_ptr<chunk> again) noexcept : owner(op), work(std::move(again)) {}

    operation_state& owner;
    std::shared_ptr<chunk> work;
    watched<delayed_chunk> due{*this};
    std::list<delayed_chunk>::iterator self{}; // in its owner's `delayed`
};

/// How far an operation has come on its way in; see `admission`.
enum class standing : unsigned char {
    arriving, ///< Not counted anywhere.
    held_up,  ///< Waits for room among its tenant's.
    outside,  ///< Waits for room in the pool.
    inside,   ///< Waits for a worker to come to it.
    past      ///< A worker has, or it is over.
};

/// What the engine knows of an operation that is not over.
struct operation_state : queued,
                         list_hook<known_tag>,
                         list_hook<outstanding_tag>,
                         list_hook<touched_tag>,
                         list_hook<unbegun_tag>
{
    std::shared_ptr<operation> op;
    const operation_table* in = nullptr;
    tenant_state* tenant = nullptr;
    std::uint64_t id = 0;
    chunker sizes{{}};
    std::shared_ptr<const attached_bytes> function; // processes: encoded once, before the first pull
    bool prepared = false;                          // encode_function was called

    time_point initiated{};
    time_point deadline = time_point::max();
    time_point begin_by = time_point::max(); // `call_options::queue_timeout`
    watched<operation_state> due{*this};     // what comes first of these two

    std::uint64_t next_index = 0; // of the next element of the range
    // taken back from workers, or left behind by dead ones; goes first. (An empty
    std::list<std::shared_ptr<chunk>> requeued;
    // deque would cost each operation two allocations.)
    std::size_t requeued_tasks = 0;           // in those chunks
    std::list<delayed_chunk> delayed;         // tasks that threw, until their next attempt
    hooked_list<given_chunk, owned_tag> held; // by workers, in the order of submission
    std::size_t held_tasks = 0;               // workers hold them and their outcome is wanted
    std::size_t held_chunks = 0;              // so many are `held`
    // of these, chunks in which a task may run; counted where that is bounded
    std::size_t places = 0;

    std::size_t done = 0;
    std::size_t failed = 0;
    trace_outcome worst = trace_outcome::done; // of its tasks
    bool begun = false;                        // a worker has come to a chunk of it
    bool died = false;                         // a worker died in one of its tasks
    bool retried = false;                      // a task of it threw, and is run again
    bool exhausted = false;                    // the range has ended
    bool stopping = false;                     // nothing more is handed out
    bool terminated = false;                   // by `stop_all`
    bool ended = false;                        // `stop_all` has come to it
    bool failed_fast = false;                  // ends with its first failure, and its tasks that run are stopped for it
    bool unbounded = false; // a stream whose pool is being joined: nobody waits for its reader any more
    bool waiting = false;   // stands in the line of its priority
    bool resting = false;   // a stream that has nothing to do before its reader wants more
    bool nested = false;    // made by a task of this pool: needs no room
    // has stepped back for another of its priority, and none of its tasks has had an outcome since
    bool yielded = false;
    standing stands = standing::arriving;
    std::size_t waiting_bytes = 0;  // of its arguments, until a task begins
    ready_worker* drains = nullptr; // the worker that runs empty so that this operation's kind of task can run on it

    recent_times* times = nullptr; // of its kind of tasks, where `hedge_after` goes by them

    std::vector<usage> used; // bills that the operation was not told of yet

    std::exception_ptr first_error; // of the failed task with the lowest index
    std::uint64_t first_error_index = 0;
    // ends it if, as workers will tell, none of its tasks has begun; until then none is handed out
    std::exception_ptr unless_begun;
    std::exception_ptr final_error; // cancelled, deadline, range or callback threw: wins over first_error

    const operation_traits& traits() const noexcept { return op->traits(); }
    std::size_t demand() const { return unbounded ? no_position : op->demand(); }
    std::size_t outcomes() const noexcept { return done + failed; }
    lane& place() noexcept { return tenant->at(prio); }
    /// As many of its tasks may run as may. (Of a chunk one runs at a time.)
    bool at_bound() const noexcept
    {
        return traits().options.max_concurrency != 0 && places >= traits().options.max_concurrency;
    }
    /// Waits for room: counts for no bound, and gets no turn.
    bool outside() const noexcept { return stands == standing::held_up || stands == standing::outside; }
    bool touched() const noexcept { return list_hook<touched_tag>::is_linked(); }
};

/// A worker that is ready, or on its way out.
struct ready_worker : taker, list_hook<considered_tag>
{
    worker_id id = 0;
    std::list<given_chunk> held;      // the first one runs; all, if they are coroutines
    std::size_t running = 0;          // tasks in them that have no outcome
    bool dying = false;               // was killed, and is not gone yet
    bool recycling = false;           // its successor was asked for
    bool retiring = false;            // its successor is ready: it gets no more, and leaves when it is idle
    std::size_t given = 0;            // tasks that it was given in its life
    std::size_t share = no_position;  // tasks after which its successor is asked for
    watched<ready_worker> age{*this}; // and when, at the latest
    operation_state* only = nullptr;  // a guest: runs tasks of this operation only
    bool guest = false;
    bool surplus = false;                  // nobody takes its place when it leaves
    time_point idle_since{};               // where that matters
    operation_state* drains_for = nullptr; // the operation that waits for it to run empty
    worker_entry counted{};                // as what the ledger has it

    bool runs_coroutines() const noexcept { return !held.empty() && held.front().work->coroutine; }

    worker_entry entry() const noexcept
    {
        return {.running = running,
                .ready = !guest && !dying,
                .busy = !guest && running != 0,
                .occupied = !guest && !held.empty(),
                .free = !guest && !dying && !retiring && held.empty(),
                .recycling = recycling};
    }

    /// A plain task that nobody waits for still runs in it.
    bool dirty() const noexcept
    {
        for (const given_chunk& h : held)
            if ((h.cancelled || !h.owner) && !h.work->coroutine)
                return true;
        return false;
    }
};

/// How long the chunk's worker will be at what has no outcome, as far as is known.
inline std::optional<duration> time_left(const given_chunk& held)
{
    return held.owner ? held.owner->sizes.estimate(held.outstanding()) : std::nullopt;
}

/// What a chunk is thought to take that nobody has measured one like.
inline constexpr duration unknown_time = std::chrono::seconds(1);

/// The same for the chunk that its worker has come to: one that takes longer than expected will go on for as long as it is late.
inline duration time_left_of_first(const given_chunk& held, time_point now)
{
    const duration left = time_left(held).value_or(unknown_time);
    const auto whole = held.owner ? held.owner->sizes.estimate(held.keep) : std::nullopt;
    return std::max(left, now - held.since - whole.value_or(duration::zero()));
}

/// A worker that has not begun its first task within this was stopped, or gets no time.
inline constexpr duration surely_begun = std::chrono::milliseconds(100);

} // namespace twat::mp::detail

#endif
