// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_OPTIONS_HPP
#define TWAT_MP_OPTIONS_HPP

#include <boost/asio/cancellation_type.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <twat/mp/chaos.hpp>
#include <twat/mp/config.hpp>
#include <twat/mp/hedge.hpp>
#include <twat/mp/histogram.hpp>
#include <twat/mp/life_phase.hpp>
#include <twat/mp/retry.hpp>
#include <twat/mp/stacktrace.hpp>
#include <twat/mp/task.hpp>
#include <twat/mp/tenant.hpp>
#include <twat/mp/trace_context.hpp>
#include <twat/mp/trace_event.hpp>
#include <twat/mp/usage.hpp>
#include <twat/mp/worker_state.hpp>

namespace twat::mp {

/// Every span of time in this library, measured on the steady clock.
using duration = std::chrono::nanoseconds;

/// `pool_options::min_nodes`: as many workers are kept as there are nodes.
inline constexpr std::size_t all_nodes = std::numeric_limits<std::size_t>::max();

/** How many workers may die outside of tasks before the pool is broken: while they start, in the initializer, or while idle.

    A death in a task is that task's error and never counts, nor does a worker that is killed because of its task (a timeout, a cancellation,
    a memory limit): such workers are replaced at once, however many there are.
*/
struct restart_limit
{
    std::size_t count = 0;                     ///< Deaths within `window`; 0: max(5, 2 * nodes).
    duration window{std::chrono::seconds(10)}; ///< The span of time in which deaths are counted.
};

/// The order in which operations that wait get workers. Operations of one priority take turns.
enum class priority {
    low,    ///< After all others.
    normal, ///< Before `low`.
    high,   ///< Before all others. What a worker has not begun of other operations yields to it.
};

/// What happens to a call when the queue is full; see `pool_options::max_pending` and `max_pending_bytes`.
enum class overflow {
    fail, ///< It completes with `errc::queue_full`.
    wait, ///< It waits for room, in the order of calls. Its deadline and its cancellation hold meanwhile.
};

/// Where the standard error of worker processes goes.
enum class error_output {
    inherit, ///< It goes where the program's goes.
    discard, ///< It goes to `/dev/null`.
    /// It is read, all the time and whether or not the program's loops run, and the last 64 KiB of each worker are kept: they are
    /// told with its death. Shown nowhere else.
    capture,
};

/** An event in the life of a worker, passed to `pool_options::on_event`. */
struct pool_event
{
    /// What happened; `what` is one of these.
    enum kind {
        worker_started, ///< A child process runs, or a thread was made.
        worker_ready,   ///< It finished its initializer and takes tasks.
        worker_lost,    ///< It died unexpectedly.
        /// The pool ended it: it was recycled, idle for `idle_timeout`, one too many after `resize`, its task did not stop in time, or the pool was joined.
        worker_retired,
        worker_abandoned, ///< It could not be killed in time; it is reaped when the system lets go of it.
    } what;
    std::size_t index = 0;        ///< The node, 0 to nodes-1; kept across restarts.
    int pid = 0;                  ///< The process; 0 for threads.
    boost::system::error_code ec; ///< Why, where there is a reason.
    int signal = 0;               ///< `worker_lost`: the signal that killed it, 0 if none.
    int exit_code = 0;            ///< `worker_lost`: the exit code, if it was not a signal.
    life_phase phase{};           ///< `worker_lost`: what it was doing.
    std::string why{};            ///< `worker_lost`: all that is known, in words.
    /// Where it crashed, or what it did when it was killed because its task did not stop in time. May be empty.
    stacktrace stack{};
};

/** Which failed calls of a pool of processes are kept, to run them again: see `parcel`.

    A death of a worker always has its parcel in memory, `worker_died::parcel()`, whatever stands here.
*/
struct parcel_options
{
    /// Where they are kept as files, for the owner only; it is made if it is not there. Empty: nowhere.
    std::filesystem::path directory{};
    /// Files in the directory, those of other pools and programs among them; the oldest are removed. At least 1.
    std::size_t most = 16;
    /// Also of tasks that ran longer than their timeout: `errinfo_parcel` of `task_timed_out`.
    bool timeouts = false;
    bool exceptions = false; ///< Also of tasks that threw: `errinfo_parcel` of what they threw.
};

/** How a pool is made. Every member has a default that suits a program that has no special wish.

    A bad value (a negative duration, more nodes than the system can have, an initializer that cannot be sent to a
    process) makes the constructor of the pool throw `std::invalid_argument` that names the member.
*/
struct pool_options
{
    /// Workers. 0: as many as CPUs that this process may use, by the affinity of the calling thread and the cgroup's quota. In a worker
    /// process: its share of those, which is all of them divided by the nodes of its pool, and at least 1.
    std::size_t nodes = 0;
    /// Workers that are kept, of at most `nodes`; `mp::all_nodes`: all of them. With fewer the pool is elastic: more workers are started when
    /// tasks have waited for longer than a start takes, by what starts have taken so far, and at most as many as there is work. 0: none is
    /// kept, and the first task starts one. See `resize` for pools that change.
    std::size_t min_nodes = all_nodes;
    /// A worker beyond `min_nodes` that has had nothing to do for so long ends, the last one that was started first; zero: never. Where it was
    /// missed within 10 s, the pool waits for twice as long the next time, up to 10 s: work that comes and goes finds its workers. Holds also
    /// while the pool is idle and its context runs.
    duration idle_timeout{};
    /// Runs in every worker before its first task. If it fails, the worker never takes tasks.
    task initializer{};
    /// Runs in every worker that ends in order; not in one that is killed. What it returns is read by `exit_results` of the pool.
    task finalizer{};
    /// An object of its own for every worker, which tasks take as their first parameter, `T&`: see `worker_state`.
    state_factory state{};
    /// Which failed calls are kept, to run them again under a debugger.
    parcel_options parcels{};
    /// Tasks after which a worker is replaced by a new one, and never more; 0: no bound. Whatever a worker is replaced for, the new
    /// one is ready before the old one leaves, so that for a moment both have its index. This does not count as a death.
    std::size_t max_tasks_per_child = 0;
    /// Bytes of its own memory that a worker process may have while a task runs; 0: no limit. Beyond, an allocation in that task throws
    /// `std::bad_alloc`; a task that cannot stand that ends its worker, and `worker_died` says why. It is the limit RLIMIT_DATA: what counts
    /// is private, writable memory that was asked for, touched or not, that of the initializer and of thread stacks (8 MiB each by default)
    /// among it. Memory in which the library shares values does not count. Programs that a task starts inherit the limit. Not for threads.
    std::size_t max_memory_per_child = 0;
    /// Resident bytes of its own beyond which a worker process is replaced, between two tasks; 0: no bound. Not for threads. What it
    /// shares does not count: mapped files, and the memory in which large values travel, up to 256 MiB for each worker.
    std::size_t max_rss_per_child = 0;
    /// The age, from when it was ready, at which a worker is replaced, between two tasks; zero: no bound.
    duration max_age_per_child{};
    /// Randomly lowers the three limits above for each worker by up to this fraction (0 to 1), so that workers are not all replaced at once.
    double recycle_jitter = 0.1;
    /// Coroutine tasks at once in one worker. Plain functions run one at a time.
    std::size_t child_concurrency = 16;
    /// How many calls may wait to begin; `on_overflow` decides what happens to further calls. 0: no limit. An `apply` counts
    /// one, a range operation counts one until its first task begins.
    std::size_t max_pending = 0;
    /// Bytes of encoded arguments in calls that wait to begin, limited in the same way; 0: no limit. Range operations count
    /// nothing: their elements are read when a worker can take them. Not for threads, whose arguments are not bytes.
    std::size_t max_pending_bytes = 0;
    /// What happens to a call that finds no room by `max_pending` or `max_pending_bytes`: it is refused, or waits.
    overflow on_overflow = overflow::fail;
    /// Refuses operations with `errc::queue_full` by how long they have waited instead of how many wait, each tenant's by itself (CoDel, RFC
    /// 8289): a burst may wait, but when all of a tenant's operations have waited for longer than `target` for an `interval`, some are refused
    /// when it is their turn, and all that have waited for longer than an interval. Zero: none is.
    load_shedding shed{};
    /// Bytes of one task's argument list or result; beyond: `errc::message_too_large`.
    std::size_t max_message_size = std::size_t(1) << 30;
    /// How many deaths outside of tasks the pool survives before it is broken. A start that fails while other workers take tasks does not count: the
    /// pool goes on with those, and tries that node again after growing pauses, up to 60 s. A broken pool fails calls at once with `errc::pool_broken`,
    /// the cause nested. After 1 s, then 2 s, 4 s ... 60 s, the next call starts one worker and waits for it; as soon as one is ready the pool
    /// works again, with all nodes. Only a program that is no worker or another build (`errc::worker_start_failed`, `build_mismatch`) is not
    /// tried again, unless workers of the pool have been ready before. With threads only an initializer can fail.
    restart_limit restarts{};
    /// From the start of a worker to the end of its initializer. Of many workers as many start at once as there are CPUs, not counting those
    /// whose initializer waits for something; the time of each begins with its turn.
    duration start_timeout{std::chrono::seconds(5)};
    /// How long a worker may take to end once it was asked to; then it is killed.
    duration stop_grace{std::chrono::milliseconds(200)};
    /// How long a cancelled or timed-out task may go on before its worker process is killed.
    duration cancel_grace{std::chrono::milliseconds(200)};
    /// How long a worker process looks for its next task, and a blocking call for its result, before they sleep; zero: not at all. About
    /// 50 us saves the two wake-ups that dominate the latency of back-to-back calls, at the cost of one busy CPU per spinning thread. Spinning
    /// stops by itself where it does not help, or where others want the CPU. A pool on your own loop does not spin there. Not for threads.
    duration spin{};
    /// Added to the niceness that workers inherit from the thread that makes the pool, 0 to 19. -1: 10 for pools on the user's own loop, so that
    /// the loop does not wait for the time slice of a worker when both want one CPU; 0 for blocking pools. What a task starts, threads and
    /// programs, inherits it, and cannot lower it again without privileges. On a machine that is busy with other programs, nicer workers
    /// get less of it: 0 where the work is as urgent as theirs. A nice thread that holds a lock keeps others waiting for it longer.
    int nice = -1;
    /// The program to run as worker; empty: this one. Its functions are found by their registered names.
    std::filesystem::path executable{};
    /// Where the standard error of worker processes goes. Not for threads.
    error_output child_stderr = error_output::inherit;
    /// Told of every worker's start and end, on the pool's executor, one call at a time. Must not throw.
    std::function<void(const pool_event&)> on_event{};
    /// Told of every operation, chunk and worker that begins or ends, on the pool's executor, one call at a time. Must be quick and must
    /// not throw. Costs nothing where it is not set. `mp::trace_file` is one.
    std::function<void(const trace_event&)> on_trace{};
    /// Measures what each task uses, also where nobody asks for it by `on_usage`: for the sums in `stats` and for `on_trace`. Costs each task
    /// less than a microsecond.
    bool measure_usage = false;
    /// Faults that the pool makes by itself, for tests: deaths of workers, slow starts, late results, refusals. Off by default. Where it is off, the environment
    /// variable `TWAT_MP_CHAOS` counts (see `parse_chaos`), which on threads kills none; not in programs that run with raised privileges.
    chaos_options chaos{};
};

/** How one operation runs; see `basic_async_pool::with`. Owns nothing: trivially destructible. */
struct call_options
{
    /// Tasks sent to a worker at once; 0: adapted to how long tasks take. Several chunks may travel together while they are short: what a
    /// worker has not begun can be taken back.
    std::size_t chunk_size = 0;
    /// Of one task, from its start; zero: none. Then the task fails with `errc::task_timed_out`. It holds for a running task whatever became
    /// of its operation: a worker is not kept busy beyond it with what nobody waits for.
    duration timeout{};
    /// Of the whole operation, from its initiation; zero: none. Then it completes with `errc::deadline_exceeded`. An operation that a task
    /// starts has no longer than that task has left, see `this_task::remaining`.
    duration deadline{};
    /// From the operation's initiation until its first task begins; zero: none. Then it completes with `errc::queue_timed_out`, and none of
    /// its tasks ever runs.
    duration queue_timeout{};
    /// Tasks of this operation at once, in all workers; 0: no bound. For what cannot take more: a database, a licence, a service that counts its
    /// clients. A task that ran out of time counts until its worker is rid of it.
    std::size_t max_concurrency = 0;
    /// `map` and `starmap` complete with the first failure that arrives, and the rest is cancelled as by `terminal`, instead of waiting for
    /// the tasks that run and reporting the failure with the lowest index. On threads they still complete when the tasks that run have
    /// returned. A failure is no request, so `cancel_limit` does not cap it. A task that is run again (`retries`) has not failed. No effect
    /// on `apply`, which has one task, nor on `try_map` and streams, which do not end at a failure.
    bool fail_fast = false;
    /// Whose operation it is. Operations of one priority share the workers' time between the tenants that wait, by weight (deficit round robin),
    /// before they take turns within a tenant. One that was not made known by `set_tenant` has weight 1 and no bound but those of the pool.
    tenant_id tenant{};
    /// How often a task is run again after its worker died in it; for exceptions, see `retry`.
    std::size_t retries = 0;
    /// Streams: tasks in flight or waiting to be read; 0: 2 x nodes x chunk.
    std::size_t window = 0;
    /// Whether waiting tasks go before or after those of other operations.
    priority prio = priority::normal;
    /// The strongest cancellation that a request may cause; also what the destruction of a stream may do to tasks that run.
    asio::cancellation_type cancel_limit = asio::cancellation_type::terminal;
    /// What traces call the operation. A string literal, or another that lives as long as the pool.
    const char* label = nullptr;
    /// `reduce`, `filter`, `for_each`: the range is cut in the same places for any number of workers, into about 1024 parts. So a floating-point value is
    /// the same, and a journal can keep parts.
    bool deterministic = false;
    /// Which exceptions of a task are retried, how often and when: `.retry = {.attempts = 3, .backoff = 100ms}`. The last exception arrives, with
    /// `mp::errinfo_attempts`. Deaths are `retries`' business, and a task that ran out of time is not run again. A task that waits for its next attempt
    /// holds no worker, goes first when its time has come, and is dropped with its operation. In `reduce`, `filter` and `for_each` a part of
    /// the range is run again as a whole, elements of it that had succeeded too. Threads run a task again with copies of its arguments: elements
    /// that are not referred to, as those of an lvalue container are, must be of standard types or trivially copyable for it, or the operation
    /// completes with `std::invalid_argument`. In line, the calling thread waits out the pauses.
    retry_policy retry{};
    /// Runs a task that takes longer than this a second time, on a worker that has nothing else to do; the first answer wins, the other run is
    /// cancelled as by a timeout: a process has `cancel_grace` to stop, then it is killed. (Threads are asked to stop, and the operation
    /// completes when they have.) Against the few that are slow for no reason of their own: `.hedge_after = 50ms`, or
    /// `mp::percentile{95}` of the tasks of the same type of function and `label` in this pool, once 20 of them were measured. A pool runs
    /// at most one task in twenty twice, but at least one. **Giving it declares that the tasks may run twice, also at the same time**:
    /// that they are idempotent. An exception is an answer, unless `retry` would retry it; a death is not. Neither ends the task while the
    /// other run goes on, nor uses up an attempt. Threads need arguments that can be copied, as for `retry`. No effect on a cluster, on inline pools, and
    /// on tasks that are sent descriptors.
    hedge_delay hedge_after{};
    /// What `this_task::rng` gives depends on this and on the task's index. Operations with one seed have the same numbers, so let it differ
    /// where they must be independent.
    std::uint64_t seed = 0;
    /// The `traceparent` of the request that the operation belongs to (W3C Trace Context), for `this_task::trace_parent` and for traces. The text of the
    /// HTTP header will do; empty: none. What is malformed makes `with` throw `std::invalid_argument`.
    trace_context trace_parent{};
};

/** How far an operation is; see `on_progress`. */
struct progress
{
    std::size_t done = 0;             ///< Tasks that have an outcome, the failed ones among them.
    std::size_t failed = 0;           ///< Tasks whose outcome is an error.
    std::optional<std::size_t> total; ///< All tasks, if the range knows its size.
    duration elapsed{};               ///< Since the operation was initiated.
    /// Set if the call passes on what a task reported with `this_task::report`: the index of that task. Otherwise the two below have no meaning.
    std::optional<std::size_t> task{};
    double fraction = 0; ///< How far that task is, 0 to 1.
    std::string text{};  ///< What the task reported.
};

/** One host of a pool over several hosts; see `pool_stats::hosts`. */
struct host_stats
{
    std::string host{};    ///< As its agents call it: its host name.
    std::size_t nodes = 0; ///< Workers that its agents have together.

    friend bool operator==(const host_stats&, const host_stats&) = default;
};

/** A snapshot of a pool's counters. */
struct pool_stats
{
    std::size_t nodes = 0; ///< Maximum number of workers; see `resize` and `pool_options::min_nodes`.
    /// Workers that are ready, the busy ones among them; more than `nodes` while one is replaced.
    std::size_t ready = 0;
    std::size_t busy = 0;      ///< Workers that hold tasks.
    std::size_t pending = 0;   ///< Operations none of whose tasks has begun.
    std::size_t running = 0;   ///< Tasks that workers hold.
    std::size_t done = 0;      ///< Tasks that ended with a value.
    std::size_t failed = 0;    ///< Tasks that ended with an error.
    std::size_t died = 0;      ///< Workers that died unexpectedly.
    std::size_t restarts = 0;  ///< Workers started in the place of another.
    std::size_t cancelled = 0; ///< Tasks that were dropped or whose outcome was no longer wanted.
    std::size_t abandoned = 0; ///< Workers that could not be killed in time.
    std::size_t recycled = 0;  ///< Workers that left because they had run, grown or lived enough.
    std::size_t starting = 0;  ///< Workers that were started and are not ready.
    /// Workers that left because they were too many: idle for `idle_timeout`, or after `resize`.
    std::size_t retired = 0;
    std::size_t waiting = 0;       ///< Operations that wait for room (`overflow::wait`); not among `pending`.
    std::size_t pending_bytes = 0; ///< What counts for `pool_options::max_pending_bytes`.
    std::size_t timed_out = 0;     ///< Failed tasks that ran longer than `call_options::timeout`.
    std::size_t refused = 0;       ///< Operations that were refused with `errc::queue_full`.
    /// Processes: tasks that did not run because a journal had their result. Not among `done`.
    std::size_t resumed = 0;
    std::size_t retried = 0;          ///< Attempts of tasks that threw; see `call_options::retry`. Not among `failed`.
    std::size_t hedged = 0;           ///< Second runs of tasks that took long; see `call_options::hedge_after`.
    std::size_t hedges_won = 0;       ///< Those of them that answered first.
    std::size_t lost = 0;             ///< Failed tasks whose worker died in them.
    std::uint64_t bytes_sent = 0;     ///< Processes: encoded arguments that workers were given.
    std::uint64_t bytes_received = 0; ///< Processes: encoded results that came back.
    /// From the call of an operation until its first task begins; counted when that task's chunk has ended.
    histogram queue_wait;
    /// Of a task in its worker, by the worker's own clock. Those of one chunk count with their mean.
    histogram run_time;
    std::vector<tenant_stats> tenants{}; ///< Those that `set_tenant` made known, by id.
    /// What measured tasks used (`on_usage`, `pool_options::measure_usage`), by label.
    std::vector<label_stats> labels{};
    tenant_stats other_tenants{}; ///< All others together, but for operations that name no tenant.
    /// Pools over several hosts: those whose agents serve, by name. Empty for others.
    std::vector<host_stats> hosts{};
    chaos_stats chaos{}; ///< Faults that the pool made itself, see `pool_options::chaos`.
};

} // namespace twat::mp

#endif
