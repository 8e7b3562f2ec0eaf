// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_PROCESS_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_PROCESS_HPP

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include <twat/mp/error.hpp>

#include "backend/worker_set.hpp"
#include "os/descriptor.hpp"
#include "process/decoding.hpp"
#include "process/held_chunks.hpp"
#include "process/parcels.hpp"
#include "process/stop_judge.hpp"
#include "process/warden.hpp"
#include "process/worker_channel.hpp"
#include "process/worker_fsm.hpp"
#include "process/worker_stacks.hpp"
#include "shm/arena.hpp"
#include "shm/result_ring.hpp"
#include "shm/shared_page.hpp"

namespace twat::mp::detail {

class worker_process;

/// What is the same for all workers of a pool.
struct worker_settings
{
    std::size_t nodes = 0;
    std::size_t child_concurrency = 0;
    std::size_t max_message_size = 0;
    std::size_t max_rss = 0;    ///< Resident bytes beyond which a worker is reported as grown; 0: none.
    std::size_t max_memory = 0; ///< `pool_options::max_memory_per_child`.
    std::size_t cpus = 1;       ///< Each worker's share.
    double recycle_jitter = 0;
    error_output child_stderr = error_output::inherit;
    duration start_timeout{}, stop_grace{}, cancel_grace{}, spin{};
    std::filesystem::path executable;
    std::shared_ptr<launch_thread> launcher;   ///< Made by the thread that made the pool.
    byte_buffer initializer, state, finalizer; ///< Encoded; empty: none.
    std::shared_ptr<const parcel_maker> parcels;
    /// The strand is on a loop that others use: see `strand_link::beside_a_loop`.
    bool beside_loop = false;
    bool debug = false; ///< Say on stderr what the workers do.
    chaos_plan chaos;   ///< Faults that are made on purpose.
};

/// What became of a worker.
struct worker_end
{
    worker_action how{}; ///< One of `report_...`.
    worker_loss loss;
    exit_status status;
    bool given_up = false; ///< It could not be killed.
    /// A fresh exception that says why it is gone; empty if it ended as it was told.
    std::function<std::exception_ptr()> cause;
    std::string why;                        ///< The same, in words.
    stacktrace stack;                       ///< Where it crashed, or was when it was killed; may be empty.
    life_phase phase = life_phase::unknown; ///< What it was doing.
    bool in_task = false;                   ///< It held a task that it had begun, or was killed for one.
    /// Starting it again would fail again.
    bool hopeless = false;
    bool initializer_failed = false;
    bool launch_failed = false;
};

/// An outcome that arrived behind a large value that is being decoded, or is one.
struct waiting_outcome
{
    record what;
    noted_chunk held;                ///< Unless it is the end of a chunk, which is noted when it is told.
    byte_buffer copy;                ///< Of its bytes, unless they lie in the arena.
    std::shared_ptr<decoding> value; ///< Waited for; null: for what is before it only.
};

/** What a worker process asks of the pool's workers, and tells them. */
class worker_owner
{
public:
    virtual const worker_settings& settings() const noexcept = 0;
    virtual const pool_strand& strand() const noexcept = 0;
    virtual const std::shared_ptr<strand_link>& link() const noexcept = 0;
    virtual backend_events& events() noexcept = 0;
    /// Whether anything may be armed on the context.
    virtual bool active() const noexcept = 0;

    /// Brackets what comes from outside. At the end the engine decides and what is queued is sent.
    virtual void begin_batch(worker_process& worker) = 0;
    virtual void end_batch() = 0;
    virtual bool in_batch() const noexcept = 0;
    /// When a turn that takes something now has to be over, for others on the loop to get theirs. Then: `read_later`.
    virtual time_point turn_until() noexcept = 0;
    /// Calls `read_on` of the worker in a later turn.
    virtual void read_later(worker_process& worker) = 0;
    /// Whether all workers end: somebody waits for that.
    virtual bool ending() const noexcept = 0;

    virtual void worker_launched(worker_process& worker) = 0;
    virtual void worker_is_ready(worker_process& worker) = 0;
    /// The last call of a worker.
    virtual void worker_is_gone(worker_process& worker, const worker_end& end) = 0;

protected:
    ~worker_owner() = default;
};

/** One life of a worker process, as seen by its parent: launched, greeted, given chunks, and in the end dead.

    Lives on the pool's strand. Kept alive by its handlers; `detach` makes them do nothing.
*/
class worker_process : public std::enable_shared_from_this<worker_process>
{
public:
    worker_process(worker_owner& owner, worker_id id, std::size_t node);
    ~worker_process();

    /// Begins. What goes wrong is told later, as a worker that is gone. Returns the child, if there will be one.
    std::shared_ptr<child> launch() noexcept;

    worker_id id() const noexcept { return id_; }
    std::size_t node() const noexcept { return node_; }
    int pid() const noexcept { return child_ ? static_cast<int>(child_->pid()) : 0; }
    const worker_fsm& state() const noexcept { return fsm_; }
    const std::shared_ptr<child>& process() const noexcept { return child_; }
    bool is_busy() const noexcept { return held_ && held_->wanted(); }
    /// As it last told; 0 before that.
    std::size_t resident_size() const noexcept
    {
        return page_ ? page_.resident_size().load(std::memory_order_relaxed) : 0;
    }
    /// See `backend::memory`.
    std::shared_ptr<buffer_memory> memory() const noexcept { return arguments_; }

    // As in `backend`:
    void submit(const chunk& work);
    std::size_t recall(chunk_id id);
    void cancel(chunk_id id);
    std::optional<backend::running_task> running(chunk_id id) const;
    void take_reports(const std::function<void(task_report&&)>& f);
    std::optional<backend::chunk_times> times(chunk_id id) const;
    void abandon(chunk_id id);
    stacktrace ask_for_stack(chunk_id id);
    parcel parcel_of(chunk_id id, std::size_t position) const;
    void attach_parcel(const std::exception_ptr& error, chunk_id id, std::size_t position) const;
    /// What it is busy with, if it is.
    std::optional<dumped_worker> dump();
    /// Before it is killed. Its end waits for the answer, for a moment.
    void ask_for_stack();

    /// Ends it, because it was not ready in time.
    void give_up_start();
    /// Ends it in order, within `stop_grace`.
    void leave();
    /// Ends it: SIGTERM, then SIGKILL.
    void kill() { act(fsm_.resume(worker_input::kill)); }
    /// Ends it at once; nothing is told of it any more, and it lets go of the context.
    void detach() noexcept;

    /// Arms what it waits for, or lets go of it, as `worker_owner::active` says.
    void update_waits();
    /// Goes on with what a turn has left over.
    void read_on();
    /// Whether `settle` would tell something.
    bool has_news() const noexcept { return exited_ || given_up_; }
    /// Tells what was not told while the pool was inactive. In a batch.
    void settle();
    /// Tells what has arrived and was not read yet. In a batch.
    void catch_up();
    /// Sends what is queued.
    void flush();

    /// When `on_time` wants to be called.
    time_point next_due() const noexcept;
    /// In a batch.
    void on_time(time_point now);

private:
    using descriptor = asio::posix::basic_stream_descriptor<pool_strand>;

    void on_launched(const boost::system::error_code& ec);
    void on_exit(exit_status status);
    void on_abandoned();
    void settle_now();
    void on_readable(const boost::system::error_code& ec);

    void act(worker_action action);
    void say_hello();
    void start_kill(duration before_sigterm, duration before_sigkill);

    void leave_rest();
    void read(time_point until);
    bool take_arrivals(time_point until);
    bool take_ring(time_point until);
    void take(const frame& arrived);
    void take_farewell(const frame& arrived);
    void take(const record& what);
    void keep_waiting(const record& what);
    result_decoder decodes_apart(const record& stored) const;
    std::span<const std::byte> stored_value(const record& stored) const;
    void tell(const record& what, const noted_chunk& held, const decoding* value = nullptr);
    void tell_waiting(time_point until);
    void on_decoded();
    void give_back(const record& stored) noexcept;
    void take_hello_reply(std::span<const std::byte> bytes);
    void hung_up();
    void talks_nonsense(const char* what);
    void ring_doorbell() noexcept;
    time_point look_due() const noexcept;
    time_point stop_due() const noexcept;
    void look_at_ring();
    void look_whether_stopped(time_point now);
    void fail_start(errc code, std::string what, bool hopeless);

    void finish();
    worker_end make_end();
    void explain_death(worker_end& end);
    void explain_failed_start(worker_end& end);
    life_phase life() const noexcept;
    void forget_old_functions();
    void send_function(const chunk& work);
    std::optional<arena_place> place_arguments(const encoded_payload& tasks, chunk_id id);
    std::string name() const;
    std::string status_text() const;
    stacktrace last_stack() const;
    std::string describe_tasks() const;
    /// The longest frame, and the largest value, that a worker may send.
    static std::uint64_t longest_frame(const worker_settings& settings) noexcept;
    /// A function for other threads, which calls the member on the strand, if this still has an owner then.
    template <class... Args>
    std::function<void(Args...)> on_strand(void (worker_process::*member)(Args...));

    worker_owner* owner_;
    worker_id id_;
    std::size_t node_;
    std::uint64_t nonce_;
    std::size_t max_rss_; ///< 0: none.
    worker_fsm fsm_;
    std::shared_ptr<child> child_;

    std::optional<descriptor> socket_;
    unique_descriptor socket_fd_; ///< Until `socket_` owns it.
    unique_descriptor doorbell_;
    shared_page page_;
    report_reader reports_;
    std::shared_ptr<argument_arena> arguments_;
    std::shared_ptr<const arena_mapping> results_; ///< Values in it may still be decoded when this is gone.
    std::shared_ptr<worker_stacks> stacks_;
    std::optional<worker_channel> channel_;
    std::optional<ring_reader> ring_;
    record_reader records_;           ///< Of what the ring held.
    std::span<const std::byte> rest_; ///< Of `drained_`: not taken yet.
    std::deque<waiting_outcome> waiting_;
    std::optional<held_chunks> held_;
    byte_buffer drained_;
    /// That it was sent, by operation.
    std::unordered_map<std::uint64_t, std::weak_ptr<const byte_buffer>> functions_;
    std::size_t sweep_functions_at_ = 16;

    bool reading_ = false, writing_ = false; ///< A wait is armed.
    bool reads_later_ = false;               ///< `owner_` calls `read_on`, before which nothing is read.
    bool write_blocked_ = false;
    bool hung_up_ = false;
    bool exited_ = false, given_up_ = false;
    exit_status status_;

    time_point started_at_{};
    time_point ping_due_ = time_point::max();
    std::uint64_t ping_ = 0;
    time_point last_sign_{};    ///< When the worker was last heard of, or given work.
    bool looked_ = false;       ///< At its ring, since then.
    bool timed_ = false;        ///< The last chunk that it was given.
    duration look_pause_;       ///< Between a sign and the look.
    time_point silent_since_{}; ///< When the worker was last heard of, or came to have something to do.
    stop_judge stop_judge_;

    std::string nonsense_;         ///< What was wrong with what it sent.
    std::string note_;             ///< Why it was killed.
    bool nobody_to_blame_ = false; ///< And no task that it still held was the reason.
    struct start_failure
    {
        errc code;
        std::string what;
    };
    std::optional<start_failure> start_failure_;
    std::string failed_at_;                                ///< What could not be made for its start.
    std::shared_ptr<const byte_buffer> initializer_error_; ///< Encoded.
    bool hopeless_ = false, launch_failed_ = false;
};

template <class... Args>
std::function<void(Args...)> worker_process::on_strand(void (worker_process::*member)(Args...))
{
    return [weak = weak_from_this(), link = owner_->link(), member](Args... args) {
        link->post([weak, member, args...] {
            if (const auto self = weak.lock(); self && self->owner_)
                ((*self).*member)(args...);
        });
    };
}

} // namespace twat::mp::detail

#endif
