// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_ENGINE_ENGINE_HPP
#define TWAT_MP_SRC_ENGINE_ENGINE_HPP

#include <boost/asio/cancellation_type.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <twat/mp/detail/operation/pool_observer.hpp>
#include <twat/mp/options.hpp>

#include "backend/backend.hpp"
#include "engine/accounts.hpp"
#include "engine/engine_settings.hpp"
#include "engine/live_tenant.hpp"
#include "engine/operation_table.hpp"
#include "engine/parts.hpp"
#include "engine/state.hpp"

namespace twat::mp::detail {

/** Decides which worker runs what, and when an operation is over. No I/O, no thread, no clock of its own.

    Operations stand in one line for each priority and take turns in it. A chunk is made when a worker can take it: that is what
    makes ranges lazy and memory bounded. An operation is over at exactly one place, `finish`.

    What enters: calls of a pool's members, reports of the workers (`backend_events`), and `tick` at `next_wake()`. What leaves: calls of
    the backend and of the operations. After any entry, call `decide()` once.
*/
class engine final : public backend_events
{
public:
    using settings = engine_settings;
    using error_maker = gate::error_maker;

    engine(settings s, backend& workers, std::function<time_point()> now);
    ~engine();

    /// Changes `settings::trace` and `settings::failed`.
    void set_observers(std::function<void(const trace_event&, worker_id)> trace,
                       std::function<void(const observed_failure&, worker_id)> failed);
    /// Tells which workers there are and what they run, in the words of `settings::trace`.
    void describe(const std::function<void(const trace_event&, worker_id)>& tell) const;

    // What a pool's members ask for.
    /// @param latest When the task that started the operation has to be done: a deadline for it too.
    /// @param nested Whether a task of this pool made it, and may hold its worker until it is over: then it is let in whatever waits.
    void add(std::shared_ptr<operation> op, time_point latest = time_point::max(), bool nested = false);
    void cancel(operation& op, asio::cancellation_type type);
    void feed(operation& op);
    void abandon(operation& op);
    /// Takes no more operations: they complete with what `refusal` makes.
    void close(error_maker refusal);
    /// Completes every operation with what `error` makes. Nothing is handed out any more, and what runs is stopped at once, as by a terminal
    /// cancellation. What waits, a million calls perhaps, ends in turns: `decide` ends some of them, and wants to be called again.
    void stop_all(error_maker error);
    /// Streams whose length is known run to their end without waiting for their readers, who find all elements later.
    void unbind_streams();
    /// Streams that were not read to their end get no more elements: they end with what `error` makes.
    void end_streams(const error_maker& error);
    /// The workers were killed and report nothing any more.
    void forget_workers();

    void set_tenant(tenant_id id, const tenant_options& options);

    // How many workers there are: see `roster`.
    void start() { staff_.roster.start(now_()); }
    /// No worker is started any more.
    void start_none() noexcept { staff_.roster.close(); }
    /// A call comes to a broken pool. Returns whether a worker is being tried; then the call may wait for it.
    bool try_again();
    /// No worker will ever be ready, for this reason.
    void give_up(const error_maker& cause) { break_down(cause); }
    /// The pool is idle: nobody looks at its workers.
    void look_away() noexcept { staff_.roster.look_away(); }
    /// Whether as many workers are ready as are kept.
    bool complete() const noexcept { return lasting_workers() >= staff_.roster.kept(); }
    /// Why that will not be so soon; empty: it may be.
    error_maker why_incomplete() const { return staff_.roster.why_incomplete(); }
    void resize(std::size_t nodes);
    /// When `tick` may find that a worker has been idle for too long, also while the pool is not active.
    time_point shrinks_at() const noexcept { return staff_.elasticity.shrinks_at(); }

    // Threads that block inside a task (nested parallelism).
    void add_guest(worker_id id, operation& op);
    /// Whether the guest holds no chunk, and so is gone now.
    bool remove_guest(worker_id id);

    // backend_events
    void worker_started(worker_id worker) override { staff_.roster.started(worker, now_()); }
    void worker_ready(worker_id worker) override;
    void worker_grew(worker_id worker) override;
    void worker_gone(worker_id worker, const worker_loss& loss) override;
    void task_used(worker_id worker, chunk_id id, std::size_t position, const task_usage& measured) override;
    void task_finished(worker_id worker, chunk_id id, std::size_t position, decoder* value) override;
    void task_decoded(worker_id worker, chunk_id id, std::size_t position, decoded_result& value,
                      std::size_t size) override;
    void tasks_finished(worker_id worker, chunk_id id, std::size_t position, std::size_t count,
                        const encoded_values* values) override;
    void task_failed(worker_id worker, chunk_id id, std::size_t position, std::exception_ptr error) override;
    void recalled(worker_id worker, chunk_id id, std::size_t kept) override;
    void chunk_ended(worker_id worker, chunk_id id, duration busy) override;
    void chunk_lost(worker_id worker, chunk_id id, const worker_loss& loss) override;
    void chunk_taken(worker_id worker, chunk_id id, const chunk_taker& taker) override;
    void unusable(const error_maker& cause, time_point before) override;
    void decide() override;

    /// Looks at timeouts and deadlines. To be called at `next_wake()`, which `decide` may change.
    void tick();
    time_point next_wake() const;
    /// Whether `tick` would find a task, a worker or an operation late.
    bool judges() const;

    /// Whether an operation waits for something that will happen by itself: the pool counts as work on its context.
    bool active() const;
    /// Whether nothing is outstanding but streams that wait for their reader.
    bool idle_but_for_streams() const;
    /// Whether the operation is outstanding.
    bool knows(const operation& op) const { return operations_.find(op) != nullptr; }
    std::size_t ready_workers() const noexcept { return staff_.workers.size(); }
    /// Those of them that were not told to end.
    std::size_t lasting_workers() const noexcept { return staff_.workers.counts().ready(); }
    /// Of this moment; good until something is asked for or reported.
    const pool_stats& stats() const;
    /// Operations that are over and were no plain calls.
    std::uint64_t others_ended() const noexcept { return operations_.others_ended(); }
    using endings = operation_table::endings;
    endings ended() const noexcept { return operations_.ended(); }
    /// Tenants of which something is kept.
    std::size_t tenants() const noexcept { return accounts_.size(); }
    /// What `stats` leaves out. May be looked at from any thread, also when the engine is gone.
    std::shared_ptr<const timings> measured() const noexcept { return timings_; }

private:
    // engine.cpp: the end of operations
    ready_worker* find(worker_id id) const noexcept { return staff_.workers.find(id); }
    static given_chunk* find(ready_worker& worker, chunk_id id) noexcept;
    operation_state* find(operation& op) noexcept;
    void touch(operation_state& op) noexcept;
    void flush();
    bool is_over(const operation_state& op) const noexcept;
    void finish(operation_state& op, std::exception_ptr error);
    void publish() const;
    void publish_read_at_once(const operation_state& op, std::size_t done);
    void leave_place(given_chunk& held) noexcept;
    void disown(given_chunk& held) noexcept;
    void settle_account(given_chunk& held, duration used, std::size_t tasks) noexcept;
    void no_longer_runs(given_chunk& held) noexcept;

    // outcomes.cpp: of tasks, and the end of chunks
    void task_finished(worker_id worker, chunk_id id, finished_task task, std::size_t size);
    bool settle(ready_worker& worker, chunk_id id, std::size_t position, given_chunk*& held);
    bool drops_outcome(operation_state& op);
    void fail_task(operation_state& op, std::uint64_t index, std::exception_ptr error, given_chunk* held = nullptr,
                   trace_outcome how = trace_outcome::failed);
    void end_chunk(ready_worker& worker, given_chunk& held);
    void forget_chunk(ready_worker& worker, given_chunk& held);

    // losses.cpp: tasks that nobody will run to their end
    void drop_outstanding(const given_chunk& held) noexcept;
    void lose_tasks(given_chunk& held, const worker_loss& loss);
    void fail_rest(operation_state& op, const error_maker& error);
    void fail_all(operation_state& op, const chunk& work, std::size_t from, std::size_t to, const error_maker& error);

    // dispatch.cpp: whose turn it is, and which worker gets it
    void hand_out();
    void hand_out_to_guests();
    bool has_work(const operation_state& op) const;
    void line_up(operation_state& op);
    void line_up_first(operation_state& op);
    void leave_queue(operation_state& op) noexcept;
    bool give_one(ready_worker& worker);
    bool give_one(ready_worker& worker, priority prio);
    void stop_draining(operation_state& op) noexcept;

    // chunks.cpp: how much of it
    bool give_from(operation_state& op, ready_worker& worker);
    std::shared_ptr<chunk> make_chunk(operation_state& op, const ready_worker& worker);
    std::shared_ptr<chunk> pull_chunk(operation_state& op, std::size_t most,
                                      std::shared_ptr<buffer_memory> memory = nullptr);
    std::size_t next_size(operation_state& op, std::optional<std::size_t> remaining) noexcept;
    void submit(ready_worker& worker, operation_state& op, std::shared_ptr<chunk> work);
    void chunk_begins(worker_id worker, given_chunk& held);
    void requeue(operation_state& op, std::uint64_t first, std::unique_ptr<payload> tasks, std::size_t attempt,
                 std::size_t unexplained, std::size_t failures);
    std::shared_ptr<chunk> take_requeued(operation_state& op);
    void drop_requeued(operation_state& op) noexcept;

    // taking_back.cpp: what workers have not begun
    std::size_t take_back(ready_worker& worker, given_chunk& held, bool requeue);
    std::size_t took_back(ready_worker& worker, given_chunk& held, std::size_t kept, bool requeue);
    void make_room(operation_state& op);
    void make_room_beside_equals(operation_state& op);
    void take_back_unknown();
    void steal();
    bool steal_for(ready_worker& idle);
    static void divide(operation_state& op, std::size_t taken);

    // arriving.cpp: operations come, and come in or are refused
    std::size_t free_places() const noexcept;
    void measure(operation_state& op);
    void enter(operation_state& op);
    void let_in(operation_state& op);
    bool let_in_those_that_wait();
    void refuse(operation_state& op, std::exception_ptr error);
    bool sheds(operation_state& op);

    // usage.cpp: the bills of tasks
    bool measures(const operation_state& op) const noexcept;

    // chaos.cpp: faults that are made on purpose are counted
    bool refused_by_chaos(operation_state& op);
    void count_start(worker_id worker) noexcept;
    void count_late(const given_chunk& held, std::size_t position, std::size_t count) noexcept;
    void count_kill(const given_chunk& held, std::size_t position) noexcept;

    // lives.cpp: workers come and go
    ready_worker& add_worker(worker_id id);
    std::unique_ptr<ready_worker> take_worker(ready_worker& worker);
    void lose_worker(ready_worker& lost, const worker_loss& loss);
    void lose_chunk(worker_id worker, given_chunk& held, const worker_loss& loss);
    void carry_out();
    void break_down(const error_maker& cause);
    void fail_operations(const error_maker& cause, time_point before);
    void count_nodes() noexcept;
    void successor_is_ready(worker_id worker);
    void send_away(ready_worker& worker, bool surplus);

    // replacing.cpp: workers that have run, grown or lived enough
    void recycle(ready_worker& worker);
    void recycle_if_there_is_room(ready_worker& worker);
    bool may_recycle_another() const noexcept;
    void leave_if_idle(ready_worker& worker);

    // stopping.cpp: cancellation
    void stop_handing_out(operation_state& op);
    /// What happens to running tasks: they run out, are asked to stop, or are killed if they have not stopped after the grace.
    enum class stop_force { none, ask, kill };
    void stop(operation_state& op, std::exception_ptr error, stop_force force);
    std::optional<bool> has_begun(operation_state& op);
    void stop_unless_begun(operation_state& op, std::exception_ptr error, stop_force force);
    void cancel_total(operation_state& op);
    void end(operation_state& op);
    void end_some();
    void ask_to_stop(ready_worker& worker, given_chunk& held, stop_force force);

    // timeouts.cpp
    void check_limits(operation_state& op, time_point now);
    static std::exception_ptr timed_out(std::uint64_t index, const stacktrace& stack = {}, const parcel& call = {});
    stacktrace stack_of(operation_state& op);
    void check_timeout(ready_worker& worker, given_chunk& held, time_point now);
    void overdue(ready_worker& worker, given_chunk& held, time_point due);

    // retrying.cpp: tasks that threw
    bool try_later(operation_state& op, given_chunk& held, std::size_t position, const std::exception_ptr& error);
    void begin_attempt(delayed_chunk& waits);
    void begin_due_attempts(time_point now);
    void drop_delayed(operation_state& op) noexcept;

    // second_runs.cpp: of tasks that are late
    void consider_hedge(given_chunk& held, time_point now);
    void hedge();
    void submit_copy(given_chunk& held, ready_worker& worker);
    bool race_goes_on(given_chunk& held, std::size_t position, run_end how);
    void win_race(given_chunk& held, std::size_t position);
    void lose_race(given_chunk& loser);

    // reports.cpp: what tasks say of themselves
    progress progress_of(const operation_state& op) const;
    bool tell_progress(operation_state& op, const progress& now);
    void look_at_reports(const operation_state& op);
    void look_at_reports();

    // tracing.cpp
    void trace_worker(trace_event::kind what, worker_id worker, bool died = false) const;
    void trace_operation(trace_event::kind what, const operation_state& op) const;
    bool is_seen(const given_chunk& held) const;
    void trace_chunk(trace_event::kind what, worker_id worker, const given_chunk& held, time_point when,
                     duration took = {}) const;
    static trace_event event_of(trace_event::kind what, const given_chunk& held);
    void trace_usage(worker_id worker, const given_chunk& held, const usage& used) const;
    void tell_end(worker_id worker, given_chunk& held, std::size_t tasks, time_point until);
    void chunk_is_over(worker_id worker, given_chunk& held);
    void chunk_cut_off(worker_id worker, given_chunk& held, std::size_t begun, bool expected = true);

    settings settings_;
    backend& backend_;
    const capabilities& can_; // of the backend
    std::function<time_point()> now_;
    // There may be hundreds of workers, a million operations, and reports by the ten thousand a second: nothing goes over all of either for
    // one event.
    operation_table operations_;
    const std::shared_ptr<timings> timings_ = std::make_shared<timings>();
    mutable pool_stats totals_; // what does not add up is brought up to date by `stats`
    accounts accounts_;
    entrance entrance_;
    staff staff_;
    placement placement_;
    agenda agenda_;
};

} // namespace twat::mp::detail

#endif
