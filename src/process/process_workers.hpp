// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_PROCESS_PROCESS_WORKERS_HPP
#define TWAT_MP_SRC_PROCESS_PROCESS_WORKERS_HPP

#include <boost/asio/basic_waitable_timer.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "backend/worker_set.hpp"
#include "process/child_registry.hpp"
#include "process/loop_turn.hpp"
#include "process/worker_diary.hpp"
#include "process/worker_process.hpp"

namespace twat::mp::detail {

/** Child processes as the workers of a pool.

    All waits are armed only while the pool is active, so an idle pool is no work on its context. Children are launched, reaped and, if
    they do not end, killed on the warden's threads; what happens there comes back through the strand.
*/
class process_workers_set final : public worker_set, private worker_owner
{
public:
    process_workers_set(pool_strand strand, std::shared_ptr<strand_link> link, const pool_options& options,
                        std::size_t nodes, backend_events& events);
    ~process_workers_set() override;

    const capabilities& can() const noexcept override { return can_; }
    void resize(std::size_t nodes) override;
    void stop(std::function<void()> done) override;
    void kill() noexcept override;
    void shut_down() noexcept override;
    void set_active(bool active) override;
    void halt() noexcept override { children_.halt(); }
    identity identify(worker_id worker) const override;
    std::vector<dumped_worker> dump() override;
    std::size_t abandoned() const noexcept override { return abandoned_; }
    std::size_t starts_at_once() const noexcept override;

    void submit(worker_id worker, const chunk& work) override;
    std::shared_ptr<buffer_memory> memory(worker_id worker) const override;
    std::optional<std::size_t> recall(worker_id worker, chunk_id id) override;
    void cancel(worker_id worker, chunk_id id) override;
    std::optional<running_task> running(worker_id worker, chunk_id id) const override;
    void take_reports(worker_id worker, const std::function<void(task_report&&)>& f) override;
    std::optional<chunk_times> times(worker_id worker, chunk_id id) const override;
    stacktrace ask_for_stack(worker_id worker, chunk_id id) override;
    parcel parcel_of(worker_id worker, chunk_id id, std::size_t position) override;
    void abandon(worker_id worker, chunk_id id) override;
    void launch(worker_id worker, std::size_t node) override;
    void end(worker_id worker, end_mode how) override;
    std::optional<duration> start_time_used(worker_id worker) const override;
    void catch_up() override;

private:
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, pool_strand>;

    // worker_owner
    const worker_settings& settings() const noexcept override { return settings_; }
    const pool_strand& strand() const noexcept override { return *strand_; }
    const std::shared_ptr<strand_link>& link() const noexcept override { return link_; }
    backend_events& events() noexcept override { return events_; }
    bool active() const noexcept override { return active_; }
    void begin_batch(worker_process& worker) override;
    void end_batch() override;
    time_point turn_until() noexcept override;
    void read_later(worker_process& worker) override;
    void settle_batch();
    bool in_batch() const noexcept override { return depth_ != 0; }
    bool ending() const noexcept override { return ended_; }
    void worker_launched(worker_process& worker) override;
    void worker_is_ready(worker_process& worker) override;
    void worker_is_gone(worker_process& worker, const worker_end& end) override;

    std::shared_ptr<worker_process> find(worker_id id) const noexcept;
    void touch(worker_process& worker);
    void take_turn();
    void end_stop();
    void post_pass();
    void pass();
    void set_timer();
    void set_timer(time_point next);

    std::optional<pool_strand> strand_; ///< Optional, as the timer: they must be gone before the context.
    std::shared_ptr<strand_link> link_;
    backend_events& events_;
    capabilities can_;
    worker_settings settings_;
    const worker_diary diary_;
    std::shared_ptr<process_workers_set*> self_; ///< For handlers; what it points to is null when this is gone.

    std::vector<std::shared_ptr<worker_process>> live_; ///< All that are not gone.
    // Reports come by the ten thousand a second, and there may be hundreds of workers: a batch looks only at those that it is about.
    std::unordered_map<worker_id, std::shared_ptr<worker_process>> by_id_;
    std::vector<std::shared_ptr<worker_process>> touched_, settled_;
    child_registry children_;

    std::vector<std::shared_ptr<worker_process>> read_later_;
    bool turn_posted_ = false;
    loop_turn turn_;

    std::optional<timer> timer_;
    time_point timer_at_ = time_point::max();
    std::size_t depth_ = 0;
    bool active_ = false;
    bool pass_posted_ = false;
    bool ended_ = false; ///< No worker is started any more.
    std::function<void()> stopped_;
    std::size_t abandoned_ = 0;
};

} // namespace twat::mp::detail

#endif
