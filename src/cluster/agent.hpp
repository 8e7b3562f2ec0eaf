// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_SRC_CLUSTER_AGENT_HPP
#define TWAT_MP_SRC_CLUSTER_AGENT_HPP

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <twat/mp/cluster/options.hpp>

#include "cluster/agent_desk.hpp"
#include "cluster/broker_link.hpp"
#include "cluster/local_pools.hpp"
#include "cluster/messages.hpp"
#include "cluster/parts.hpp"
#include "cluster/relay_operation.hpp"

namespace twat::mp::detail::cluster {

/** An agent: takes chunks out of the stream, has them run by its local pools, and brings the outcomes to the pools that they came from.

    What it holds and what is due is decided by `agent_desk`; this brings messages in and out. Everything but `leave` and `stop` is on its strand.
*/
class agent : public std::enable_shared_from_this<agent>
{
public:
    using handler = asio::any_completion_handler<void(std::exception_ptr)>;

    /// Throws `std::invalid_argument` that names a bad option.
    agent(asio::any_io_executor executor, agent_options options);
    ~agent();

    /// @param done Called on the strand when it has left, or cannot begin.
    void run(std::function<void(std::exception_ptr)> done);

    /// What it has done. When `done` was called.
    std::string describe() const;

    // For any thread:
    /// Takes nothing any more, finishes what runs within `drain`, and ends.
    void leave();
    /// Kills its workers, and ends.
    void stop();

private:
    struct held_chunk
    {
        task_message task;
        std::vector<std::byte> body;
        std::optional<duration> remaining{};
        std::unique_ptr<part_reader> parts{};
        std::shared_ptr<relay_operation> running{};
        std::vector<std::byte> outcomes{};
        duration busy{};
    };

    void on_connected(std::size_t max_payload, bool again);
    void on_failed(const std::string& why);
    void on_message(const incoming& message);
    void greet(const std::string& pool, duration lease);
    void on_task(const incoming& message);
    void on_verdict(const std::string& pool, const incoming& message);
    void on_part(const std::string& pool, const incoming& message);
    void on_fetch(const std::string& pool, const incoming& message);
    void on_stop(const std::string& pool, const incoming& message);

    void step();
    void take_work();
    void pull();
    void set_timer();
    void tell_presence();
    void tell_alive(const std::string& pool);
    void send_claim(const chunk_key& key);
    void send_outcome(const chunk_key& key);
    void prepare(const chunk_key& key);
    void ask_for_parts(const chunk_key& key, held_chunk& held);
    void start(const chunk_key& key, held_chunk& held);
    void finished(const chunk_key& key, duration busy, std::vector<std::byte> outcomes);
    /// @param ack What the stream is told of it; empty: nothing.
    void drop(const chunk_key& key, const std::string& ack_subject, const char* ack);
    void begin_to_leave();
    void end_if_empty(bool now);
    void end(std::exception_ptr error);

    std::size_t workers_wanted() const noexcept;
    bool fits_inline(std::size_t size) const noexcept { return size + 4096 <= max_payload_; }
    std::size_t part_size() const noexcept
    {
        return std::max<std::size_t>(1024, std::min<std::size_t>(max_payload_ / 2, 512 * 1024));
    }

    asio::strand<asio::any_io_executor> strand_;
    const agent_options options_;
    const std::size_t nodes_;
    const std::string id_;
    const std::string host_;
    const names names_;
    agent_desk desk_;
    local_pools pools_;
    asio::steady_timer timer_;
    std::unique_ptr<broker_link> link_;
    std::function<void(std::exception_ptr)> done_;

    bool online_ = false;
    bool ever_online_ = false;
    std::size_t max_payload_ = std::size_t(1) << 20;
    std::size_t asked_for_ = 0; // chunks that the stream may still deliver
    time_point asked_at_{};
    std::set<std::string> greeted_; // pools that have called the roll
    time_point pull_again_ = time_point::max();
    time_point presence_at_{};
    duration presence_every_;
    duration short_chunks_{};            // how long chunks take, of late
    std::size_t chunks_ = 0, tasks_ = 0; // that ran here
    bool leaving_ = false;
    time_point leave_by_ = time_point::max();
    bool ending_ = false;
    std::map<chunk_key, held_chunk> held_;
    std::map<std::uint64_t, std::unique_ptr<part_reader>> setups_; // that are on their way
};

} // namespace twat::mp::detail::cluster

#endif
