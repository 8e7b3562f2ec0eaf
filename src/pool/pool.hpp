// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_POOL_POOL_HPP
#define TWAT_MP_SRC_POOL_POOL_HPP

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <twat/mp/detail/operation/pool_core.hpp>

#include "engine/engine.hpp"
#include "pool/alarm.hpp"
#include "pool/audience.hpp"
#include "pool/counts.hpp"
#include "pool/fork_guard.hpp"
#include "pool/guest_list.hpp"
#include "pool/other_operations.hpp"
#include "pool/pool_health.hpp"
#include "pool/pool_service.hpp"
#include "pool/waiters.hpp"
#include "backend/worker_set.hpp"

namespace twat::mp::detail {

/** The shell around the engine: brings calls from any thread onto the strand, drives the workers and one timer.

    Everything below `strand state` is touched on the strand only, but for `halt()` of the workers. After each entry, `settle` lets the
    engine decide and brings timer, outstanding work and waiting handlers into line with it.
*/
class pool final : public pool_core,
                   public backend_events,
                   public pool_service::member,
                   public std::enable_shared_from_this<pool>
{
public:
    pool(std::shared_ptr<const backend_factory> factory, asio::any_io_executor executor, std::size_t nodes,
         post_watcher* watcher);
    ~pool() override;

    /// Second half of the construction: what needs `shared_from_this`.
    void init();

    asio::any_io_executor get_executor() const noexcept override { return *executor_; }
    const std::shared_ptr<const backend_factory>& factory() const noexcept override { return factory_; }
    std::size_t nodes() const noexcept override { return nodes_; }
    void resize(std::size_t nodes) override;
    pool_stats stats() const override;

    bool runs_calls_only() const noexcept override;
    void submit(std::shared_ptr<operation> op) override;
    void cancel(std::shared_ptr<operation> op, asio::cancellation_type type) override;
    void feed(std::shared_ptr<operation> op) override;
    void abandon(std::shared_ptr<operation> op) override;
    std::vector<exit_value> exit_values() const override { return exit_values_.get(); }
    void set_tenant(tenant_id id, const tenant_options& options) override;
    void prepare() override;
    void start(start_handler handler) override;
    void join(start_handler handler) override;
    void drain(duration limit, drain_handler handler) override;
    void dump(dump_handler handler) override;
    void observe(std::weak_ptr<pool_observer> observer) override;
    void close() override;
    void terminate() override;
    void release() noexcept override;
    bool runs_task_here() const noexcept override;
    bool may_await_tasks_here(const operation& op) const noexcept override;
    void help(const std::shared_ptr<operation>& op, const std::function<bool()>& stop) override;
    void wake_helpers(const std::shared_ptr<operation>& op) noexcept override;

private:
    // pool_service::member
    void context_gone() noexcept override;

    // backend_events
    void worker_started(worker_id worker) override;
    void worker_ready(worker_id worker) override;
    void worker_grew(worker_id worker) override;
    void worker_returned(worker_id, exit_value value) override { exit_values_.add(std::move(value)); }
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
    void nodes_changed(std::size_t nodes) override;
    void chunk_taken(worker_id worker, chunk_id id, const chunk_taker& taker) override;
    void hosts_changed(std::vector<host_stats> hosts) override;
    void unusable(const std::function<std::exception_ptr()>& cause, time_point before) override;
    void decide() override;

    template <class F>
    void enter(F&& f);
    template <class F>
    void queue(F&& f);
    void check_process() const;
    void set_observers();
    template <class What>
    void tell(const What& what, worker_id worker);
    bool start_workers();
    bool try_again();
    void settle();
    void settle_starts();
    void end_operations();
    void kill_workers();
    void settle_joins();
    void settle_drains();
    void settle_dumps();
    void complete_dump(std::uint64_t number, pool_dump found);
    waiters::progress progress_so_far() const;
    void settle_guests();
    void publish_stats();
    void set_active(bool active);
    void set_alarm(time_point wake);
    void set_idle_alarm(time_point wake);
    void look();

    const std::shared_ptr<const backend_factory> factory_;
    const pool_options& options_; // of the factory
    capabilities can_;            // of the workers; set before anybody else knows the pool
    std::atomic<std::size_t> nodes_;
    post_watcher* const watcher_; // lives as long as the context
    const fork_guard fork_guard_;
    std::atomic<bool> released_{false}; // the pool object is gone: reports of the workers mean nothing any more
    std::atomic<bool> gone_{false};     // the context is gone
    other_operations others_;

    // Optional, because they must be destroyed before the context and the pool may be destroyed after it.
    std::optional<asio::any_io_executor> executor_;
    std::optional<pool_strand> strand_;
    std::shared_ptr<strand_link> link_;
    std::unique_ptr<worker_set> workers_;

    // Strand state.
    std::unique_ptr<engine> engine_;
    std::optional<alarm> alarm_;
    idle_alarm idle_alarm_;                     // while nothing is outstanding
    std::optional<asio::any_io_executor> work_; // tracks outstanding work while something is outstanding
    bool started_ = false;
    bool closed_ = false;
    bool terminated_ = false;
    bool stopping_ = false; // the workers were told to end
    bool stopped_ = false;  // and have
    pool_health health_;
    waiters waiters_;
    audience audience_;

    // For any thread, by locks of their own.
    std::shared_ptr<const timings> timings_;
    published_counts counts_;
    detail::exit_values exit_values_;
    guest_list guests_;
};

/// Runs `f` on the strand: now, if the calling thread runs the context and is not on the strand already; else later.
template <class F>
void pool::enter(F&& f)
{
    auto step = [self = shared_from_this(), f = std::forward<F>(f), mark = posted_mark(watcher_)]() mutable {
        mark.arrive();
        f(*self);
        self->settle();
    };
    // What runs on the strand may be the engine in the middle of a step: a range, a progress callback that calls the pool.
    if (strand_->running_in_this_thread())
        asio::post(*strand_, std::move(step));
    else
        asio::dispatch(*strand_, std::move(step));
    if (watcher_)
        watcher_->posted();
}

} // namespace twat::mp::detail

#endif
