// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_WORKER_PROCESS_HPP
#define TWAT_MP_SRC_PROCESS_WORKER_PROCESS_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "os/descriptor.hpp"
#include "process/chunk_sender.hpp"
#include "process/held_chunks.hpp"
#include "process/obituary.hpp"
#include "process/outcome_queue.hpp"
#include "process/silence_watch.hpp"
#include "process/warden.hpp"
#include "process/worker_link.hpp"
#include "process/worker_owner.hpp"
#include "process/worker_session.hpp"
#include "process/worker_stacks.hpp"
#include "shm/shared_page.hpp"

namespace twat::mp::detail {

struct worker_memory;

/** One life of a worker process, as seen by its parent: launched, greeted, given chunks, and in the end dead.

    Brings its parts together: what is next (`worker_session`, `silence_watch`), what is sent and read (`worker_link`, `chunk_sender`,
    `outcome_queue`), and what its end means (`obituary`). Lives on the pool's strand. Kept alive by its handlers; `detach` makes them do nothing.
*/
class worker_process final : public std::enable_shared_from_this<worker_process>, private link_user
{
public:
    worker_process(worker_owner& owner, worker_id id, std::size_t node);
    ~worker_process();

    /// Begins. What goes wrong is told later, as a worker that is gone. Returns the child, if there will be one.
    std::shared_ptr<child> launch() noexcept;

    const worker_identity& identity() const noexcept { return identity_; }
    worker_id id() const noexcept { return identity_.id; }
    std::size_t node() const noexcept { return identity_.node; }
    int pid() const noexcept { return child_ ? static_cast<int>(child_->pid()) : 0; }
    const std::shared_ptr<child>& process() const noexcept { return child_; }
    /// See `backend::memory`.
    std::shared_ptr<buffer_memory> memory() const noexcept { return parts_ ? parts_->sender.memory() : nullptr; }

    // As in `backend`, of a worker that was reported ready:
    void submit(const chunk& work);
    std::size_t recall(chunk_id id);
    void cancel(chunk_id id);
    std::optional<backend::running_task> running(chunk_id id) const;
    void take_reports(const std::function<void(task_report&&)>& f);
    std::optional<backend::chunk_times> times(chunk_id id) const;
    void abandon(chunk_id id);
    stacktrace ask_for_stack(chunk_id id);
    parcel parcel_of(chunk_id id, std::size_t position) const;
    /// What it is busy with, if it is.
    std::optional<dumped_worker> dump();

    /// Ends it, because it was not ready in time.
    void give_up_start();
    /// Ends it in order, within `stop_grace`.
    void leave();
    /// Ends it: SIGTERM, then SIGKILL.
    void kill() { resume(worker_input::kill); }
    /// Ends it at once; nothing is told of it any more, and it lets go of the context.
    void detach() noexcept;

    /// Arms what it waits for, or lets go of it, as `worker_owner::active` says.
    void update_waits();
    /// Goes on with what a turn has left over.
    void read_on();
    /// Whether `settle` would tell something.
    bool has_news() const noexcept { return session_.is_over(); }
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
    /// What it has from its launch on.
    struct parts
    {
        parts(worker_process& self, worker_memory memory, unique_descriptor socket, unique_descriptor bell);

        shared_page page;
        unique_descriptor doorbell;
        report_reader reports;
        std::shared_ptr<worker_stacks> stacks; ///< Those who look at one keep them.
        held_chunks held;
        worker_link link;
        chunk_sender sender;
        outcome_queue outcomes;
    };

    // link_user
    void on_readable(const boost::system::error_code& ec) override;
    void on_writable(const boost::system::error_code& ec) override;
    void heard() override { silence_.heard(clock::now()); }
    void take(const frame& arrived) override;
    void take(const record& what) override { parts_->outcomes.take(what); }
    bool listens() const noexcept override { return owner_ && !obituary_.has_sent_malformed(); }
    bool connected() const noexcept override { return owner_ && !session_.has_hung_up(); }

    void on_launched(const boost::system::error_code& ec, const std::string& failed_at);
    void on_exit(exit_status status);
    void on_given_up();
    void on_decoded();
    void settle_now();

    worker_action resume(worker_input input);
    void act(worker_action action);
    void say_hello();
    void start_kill(duration before_sigterm, duration before_sigkill);
    void fail_start(std::string what, errc code = errc::worker_start_failed,
                    obituary::outlook another = obituary::outlook::may_pass);

    void read_later();
    void read(time_point until);
    void tell_waiting(time_point until);
    void take_hello_reply(std::span<const std::byte> bytes);
    void take_initializer_error(const frame& arrived);
    void take_farewell(const frame& arrived);
    void hung_up();
    void sent_malformed(const char* what);
    void flush_unless_in_batch();
    void ring_doorbell() noexcept;
    void look_at_ring();
    void look_whether_stopped(time_point now);
    void check_ping(time_point now);
    /// Before it is killed. Its end waits for the answer, for a moment.
    void ask_for_stack();

    void finish();
    last_state state_at_end();
    void let_go() noexcept;
    bool is_busy() const noexcept { return parts_ && parts_->held.wanted() != 0; }
    /// Of what came along with results, what nobody has decoded.
    void drop_arrived() noexcept;
    /// What names it as the one that they came from.
    std::uint64_t inbox_key() const noexcept { return reinterpret_cast<std::uintptr_t>(this); }
    /// A function for other threads, which calls the member on the strand, if this still has an owner then.
    template <class... Args>
    std::function<void(Args...)> on_strand(void (worker_process::*member)(Args...));

    worker_owner* owner_; ///< Null: it was detached, or is gone.
    worker_identity identity_;
    std::uint64_t nonce_;
    std::size_t max_rss_; ///< 0: none.
    std::shared_ptr<child> child_;
    std::unique_ptr<parts> parts_;
    worker_session session_;
    silence_watch silence_;
    obituary obituary_;
    exit_status status_;
    time_point started_at_{};
    bool reads_later_ = false; ///< `owner_` calls `read_on`, before which nothing is read.
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
