// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_THREAD_THREAD_WORKERS_HPP
#define TWAT_MP_SRC_THREAD_THREAD_WORKERS_HPP

#include <twat/mp/error.hpp>
#include <twat/mp/options.hpp>

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "backend/worker_set.hpp"
#include "start/thread_life.hpp"
#include "thread/thread_worker.hpp"

namespace twat::mp::detail {

/** Worker threads.

    The threads inherit the signal mask of the thread that makes them, as those of `asio::thread_pool` do: a task that starts
    a program must not hand it a mask full of blocked signals. A thread cannot be killed: `kill` and `halt` ask running
    tasks to stop and let them end. What has ended is joined by the next thread that is made.

    An exception that leaves a handler that a task posted to `this_worker::executor()` ends the program.
*/
class thread_workers_set final : public worker_set
{
public:
    thread_workers_set(pool_strand strand, std::shared_ptr<strand_link> link, const pool_options& options,
                       backend_events& events);
    /// As `halt`; threads that cannot be waited for are detached.
    ~thread_workers_set() override;

    const capabilities& can() const noexcept override;
    void submit(worker_id worker, const chunk& work) override;
    std::optional<std::size_t> recall(worker_id worker, chunk_id id) override;
    void cancel(worker_id worker, chunk_id id) override;
    std::optional<running_task> running(worker_id worker, chunk_id id) const override;
    void take_reports(worker_id worker, const std::function<void(task_report&&)>& f) override;
    std::optional<chunk_times> times(worker_id worker, chunk_id id) const override;
    void abandon(worker_id worker, chunk_id id) override;
    void launch(worker_id worker, std::size_t node) override;
    void end(worker_id worker, end_mode how) override;

    void stop(std::function<void()> done) override;
    void kill() noexcept override;
    void shut_down() noexcept override;
    void set_active(bool) override {}
    /// Waits for the threads; on the strand not for those that wait in a nested call, which need it: those are detached.
    void halt() noexcept override;
    identity identify(worker_id worker) const override;
    std::vector<dumped_worker> dump() override;
    std::size_t abandoned() const noexcept override { return abandoned_; }
    bool is_armed() const noexcept override { return stop_timer_.has_value(); }

    worker_id add_guest() override;
    /// Returns also when the pool is halted.
    void run_guest(worker_id guest, const std::function<bool()>& stop) override;
    void wake_guest(worker_id guest) noexcept override;
    void remove_guest(worker_id guest) override;

private:
    // Guests have numbers of their own, beyond those of workers.
    static constexpr worker_id first_guest = worker_id(1) << 63;
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, pool_strand>;

    struct shared_state;
    /// How far a thread is, also while nobody runs the strand.
    struct life
    {
        std::atomic<bool> initialized = false; ///< Or failed to be.
        thread_life thread;
    };
    struct node
    {
        std::shared_ptr<thread_worker> worker;
        std::shared_ptr<life> state;
        std::thread thread;
        bool ready = false;
        bool ended = false; ///< It was told to end, or its end was reported.
    };

    thread_worker* on_strand(worker_id worker) const noexcept;
    std::shared_ptr<thread_worker> guest(worker_id id) const;
    thread_worker::report_function reporter(worker_id worker) const;
    static void finalize(const std::shared_ptr<shared_state>& shared, worker_id id);
    static void thread_main(const std::shared_ptr<shared_state>& shared, worker_id id, thread_worker& worker,
                            life& state, std::vector<std::thread> ended);

    // What the threads tell, on the strand.
    void on_report(worker_id worker, chunk_report& report);
    void on_ready(worker_id worker);
    void on_refused(worker_id worker, std::exception_ptr cause);
    void on_gone(worker_id worker);

    void tell_ended(worker_id worker, chunk_id id);
    void tell_gone(worker_id worker);
    void tell_lost(worker_id worker, worker_loss loss);
    void judge_late(worker_id worker);
    void tell(decltype(pool_event::what) what, std::size_t index, boost::system::error_code ec = {},
              life_phase phase = {});
    void quit_all() noexcept;
    void stop_is_over();
    bool inside() const noexcept;

    const std::shared_ptr<shared_state> shared_;
    const pool_options options_;
    backend_events& events_;
    const int pid_;

    // On the strand:
    std::optional<pool_strand> strand_; // until `shut_down`: its destructor needs the context
    bool silent_ = false;               // killed: the events are told nothing any more
    bool stopping_ = false;
    std::function<void()> stopped_;
    std::optional<timer> stop_timer_;
    std::size_t abandoned_ = 0;

    mutable std::mutex mutex_; // for what follows; the maps change on the strand only, which looks at them without it
    worker_id last_guest_ = first_guest;
    bool halted_ = false; // no thread is made any more
    std::map<worker_id, node> workers_;
    std::map<worker_id, std::shared_ptr<thread_worker>> guests_;
    std::vector<std::thread> ended_; // to be joined by the next thread, or the destructor

    std::mutex halt_mutex_; // held while threads are joined
};

} // namespace twat::mp::detail

#endif
