// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_CLUSTER_WORKERS_HPP
#define TWAT_MP_SRC_CLUSTER_CLUSTER_WORKERS_HPP

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <twat/mp/cluster/options.hpp>
#include <twat/mp/error.hpp>

#include "backend/worker_set.hpp"
#include "cluster/broker_link.hpp"
#include "cluster/chunk_ledger.hpp"
#include "cluster/host_lanes.hpp"
#include "cluster/mailbox.hpp"
#include "cluster/membership.hpp"
#include "cluster/messages.hpp"
#include "cluster/outcomes.hpp"
#include "cluster/parts.hpp"
#include "cluster/unconfirmed.hpp"

namespace twat::mp::detail::cluster {

/** The workers of a cluster pool: as many as the agents that are there have together.

    To the engine each is a place that takes chunks, whichever agent takes them out of the stream: places come and go with the agents, and a chunk whose
    host is lost is lost by itself (`backend_events::chunk_lost`). Who has what is decided by `chunk_ledger`, who is there by `membership`.
*/
class cluster_workers_set final : public worker_set
{
public:
    cluster_workers_set(const cluster_options& options, const backend_site& site);
    ~cluster_workers_set() override;

    const capabilities& can() const noexcept override { return can_; }
    void submit(worker_id worker, const chunk& work) override;
    std::optional<std::size_t> recall(worker_id worker, chunk_id id) override;
    void cancel(worker_id worker, chunk_id id) override;
    // agents look after timeouts
    std::optional<running_task> running(worker_id, chunk_id) const override { return std::nullopt; }
    void abandon(worker_id worker, chunk_id id) override;
    void launch(worker_id worker, std::size_t node) override;
    void end(worker_id worker, end_mode how) override;
    void catch_up() override;

    void stop(std::function<void()> done) override;
    void kill() noexcept override;
    void shut_down() noexcept override;
    void set_active(bool active) override;
    void halt() noexcept override {}
    identity identify(worker_id worker) const override;

private:
    struct place
    {
        std::size_t node = 0;
        bool ready = false;
        bool leaving = false;
        std::set<chunk_id> chunks{};
    };
    struct sent_chunk
    {
        worker_id place = 0;
        const chunk* work = nullptr;
        task_message task;
        std::vector<std::byte> body;
        chunk_taker taker{};                      ///< None as long as no agent has it.
        std::size_t renewed = 0;                  ///< How often it was published under a new name.
        std::optional<outcome_message> outcome{}; ///< That is fetched in parts.
        std::unique_ptr<part_reader> parts{};
    };

    // What comes from the broker, in cluster_messages.cpp:
    void read_mail();
    void on_link(const link_state& now);
    void on_message(const incoming& message);
    void on_claim(const incoming& message);
    void on_outcome(const incoming& message);
    void on_alive(const incoming& message);
    void on_given_up(const incoming& message);
    void on_fetch(const incoming& message);
    void on_part(const incoming& message);
    void on_stored(std::uint64_t chunk, const incoming& message);

    void publish(chunk_id id, sent_chunk& sent);
    void fetch_outcome(chunk_id id, sent_chunk& sent, const std::string& agent);
    void settle(chunk_id id, const std::string& agent, std::span<const std::byte> body, duration busy);
    void report(chunk_id id, const sent_chunk& sent, std::span<const std::byte> body, duration busy);
    /// It goes nowhere: all of its tasks fail.
    void refuse(chunk_id id, errc code, const std::string& why);
    static constexpr const char* why_dropped = "its agent has dropped the task";
    void lose(const chunk_ledger::lost_chunk& lost, const std::string& host, const std::string& why);
    void withdraw(chunk_id id, const chunk_ledger::outstanding& what);
    void tell_to_stop(const std::string& agent, chunk_id id, bool by_force);
    std::optional<sent_chunk> take(chunk_id id);

    // Who is there, in cluster_workers.cpp and cluster_looks.cpp:
    void call_roll();
    void look();
    void judge();
    void look_at_unconfirmed(time_point now);
    void give_up();
    void update_hosts();
    void update_places();
    void report_gone(worker_id worker, worker_loss loss);
    std::function<std::exception_ptr()> why_nobody() const;
    void set_timer();
    template <class F>
    void later(F f);

    const cluster_options options_;
    const capabilities can_;
    std::optional<pool_strand> strand_;
    const std::shared_ptr<strand_link> back_;
    backend_events& events_;
    const std::shared_ptr<cluster_workers_set*> self_; ///< Null once it is shut down.

    const names names_;
    const std::string id_; ///< Of this pool.
    setup_message setup_;
    const std::uint64_t setup_id_;
    std::shared_ptr<mailbox> mail_;
    std::unique_ptr<broker_link> link_;

    chunk_ledger ledger_;
    membership members_;
    host_lanes lanes_;
    std::vector<host_stats> hosts_; ///< As the pool was told last.
    std::map<chunk_id, sent_chunk> sent_;
    unconfirmed unconfirmed_;    ///< Of these, those that the stream is not known to have.
    std::set<chunk_id> fetched_; ///< And those whose outcome comes in parts.
    std::map<worker_id, place> places_;
    worker_id last_place_ = 0;
    std::size_t nodes_ = 1; ///< As the pool was told last.
    link_state link_state_{};
    std::size_t max_payload_ = std::size_t(1) << 20;
    bool active_ = false;
    bool ended_ = false;  ///< Nothing starts any more.
    bool broken_ = false; ///< The engine was told that nobody is there.
    std::function<void()> stopped_;
    std::optional<asio::steady_timer> timer_;
    time_point timer_at_ = time_point::max();
    time_point roll_call_at_{};
    time_point give_up_at_ = time_point::max(); ///< The broker has been away for too long by then.
};

} // namespace twat::mp::detail::cluster

#endif
